// A book from the server of this page, opened by foliate-js' own EPUB loader as the web reader does: every file of the
// archive by itself, texts through fetch().text(), which always decodes as UTF-8.

import { EPUB } from './foliate/epub.js'

const address = (book, name) =>
    new URL(`books/${book}/${name.split('/').map(encodeURIComponent).join('/')}`, import.meta.url)

// In two points Chromium leaves the standards, and other browsers may not; both concern files that are not UTF-8:
// - its XMLSerializer writes the XML declaration, whose encoding then holds for the second parsing of what is UTF-8 now;
// - its HTML parser shows a NUL behind "<" or "&" instead of dropping it.
const withoutDeclaredEncoding = text => text.replace(/^<\?xml [^>]*\?>/, '')
const withoutSignsBeforeNul = text => text.replaceAll('<\0', '&lt;\0').replaceAll('&\0', '&amp;\0')

// `withImages`: false spares the loading of everything that is not text; the document is the same.
// `byTheStandards`: without these two differences.
export const openBook = async (book, { withImages, byTheStandards }) => {
    const get = async (name, read) => {
        const reply = await fetch(address(book, name))
        return reply.ok ? read(reply) : null
    }
    const readText = async reply => {
        const text = await reply.text()
        return byTheStandards && text.includes('\0') ? withoutSignsBeforeNul(text) : text
    }
    const opened = await new EPUB({
        loadText: name => get(name, readText),
        loadBlob: name => withImages ? get(name, reply => reply.blob()) : new Blob([]),
        getSize: () => 1,
    }).init()
    if (byTheStandards) opened.transformTarget.addEventListener('data', ({ detail }) => {
        detail.data = Promise.resolve(detail.data)
            .then(data => typeof data === 'string' ? withoutDeclaredEncoding(data) : data)
    })
    return opened
}
