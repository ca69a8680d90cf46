// Which text a CFI means in the web reader: the section that foliate-js opens for it, loaded as foliate-js loads it
// (parsed, links replaced, serialised, parsed again by the iframe), and the range that it makes there.
// Answers, for each CFI: {error} if the reader would throw, else {index, pieces}, one [text, hidden] for each text node
// in the range; `hidden` says why KOReader does not show it, and is empty if it does.

import { openBook } from './book.js'
import { whyHidden } from './hidden.js'

const LOAD_LIMIT_MS = 30_000

const loadInFrame = address => new Promise((done, fail) => {
    const frame = document.createElement('iframe')
    // the same rights as in foliate-js' paginator: with scripts, <noscript> is parsed in another way
    frame.setAttribute('sandbox', 'allow-same-origin allow-scripts')
    frame.addEventListener('load', () => done(frame), { once: true })
    setTimeout(() => fail(new Error('the section does not load')), LOAD_LIMIT_MS)
    frame.src = address
    document.body.append(frame)
})

// The text nodes of a range in order, the first and the last cut at its ends.
const piecesOf = range => {
    const { startContainer, startOffset, endContainer, endOffset, commonAncestorContainer: top } = range
    const walker = top.ownerDocument.createTreeWalker(top, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_CDATA_SECTION)
    const pieces = []
    for (let node = top.nodeType === Node.ELEMENT_NODE ? walker.nextNode() : top; node; node = walker.nextNode()) {
        if (node !== startContainer && range.comparePoint(node, node.length) < 0) continue
        if (node !== endContainer && range.comparePoint(node, 0) > 0) break
        if (!node.data) continue
        const start = node === startContainer ? startOffset : 0
        const end = node === endContainer ? endOffset : node.length
        if (start < end) pieces.push([node.data.slice(start, end), whyHidden(node)])
    }
    return pieces
}

const rangeOf = (anchor, doc) => {
    const range = anchor(doc)
    if (!(range instanceof doc.defaultView.Range)) throw new Error('not a range')
    return range
}

// All text nodes of each section of a book; nothing of one that does not load.
export const read = async ({ book: number, byTheStandards }) => {
    const book = await openBook(number, { withImages: false, byTheStandards })
    const answers = []
    for (const section of book.sections) {
        let frame
        try {
            frame = await loadInFrame(await section.load())
            const range = frame.contentDocument.createRange()
            range.selectNodeContents(frame.contentDocument.documentElement)
            answers.push({ pieces: piecesOf(range) })
        } catch (error) {
            answers.push({ error: `${error}` })
        }
        frame?.remove()
        section.unload()
    }
    book.destroy()
    return answers
}

export const resolve = async ({ book: number, cfis, byTheStandards }) => {
    const book = await openBook(number, { withImages: false, byTheStandards })
    const answers = new Array(cfis.length)
    const bySection = new Map()
    for (const [place, cfi] of cfis.entries()) {
        try {
            const { index, anchor } = book.resolveCFI(cfi)
            if (!book.sections[index]) throw new Error(`no section ${index}`)
            if (!bySection.has(index)) bySection.set(index, [])
            bySection.get(index).push([place, anchor])
        } catch (error) {
            answers[place] = { error: `${error}` }
        }
    }
    for (const [index, wanted] of bySection) {
        const section = book.sections[index]
        let frame
        try {
            const address = await section.load()
            if (!address) throw new Error('an empty section')
            frame = await loadInFrame(address)
            if (!frame.contentDocument?.documentElement) throw new Error('a section without a document')
        } catch (error) {
            for (const [place] of wanted) answers[place] = { error: `${error}` }
            frame?.remove()
            continue
        }
        for (const [place, anchor] of wanted) {
            try {
                answers[place] = { index, pieces: piecesOf(rangeOf(anchor, frame.contentDocument)) }
            } catch (error) {
                answers[place] = { error: `${error}` }
            }
        }
        frame.remove()
        section.unload()
    }
    book.destroy()
    return answers
}
