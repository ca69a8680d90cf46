// Where a highlight is drawn in the web reader: opens the book in foliate-js' own <foliate-view>, adds the annotation as
// the reader does, and takes the words that lie under the rectangles that were drawn, character by character, from the
// layout. The CFI is not asked again.
// Answers, for each highlight: {error}, or {index, rectangles, onPage, pieces} with one [text, hidden] for each text node
// under the rectangles; `onPage` says whether the first of them is on the page that the reader shows.

import './foliate/view.js'
import { Overlayer } from './foliate/overlayer.js'
import { openBook } from './book.js'
import { nextFrame, overlaps, settle, textUnder } from './under.js'

const DEFAULT_COLOR = '#ffff00'

const drawn = (overlayer, before) =>
    [...overlayer.element.querySelectorAll('rect, path')]
        .filter(element => !before.has(element))
        .map(element => element.getBoundingClientRect())
        .filter(rect => rect.width > 0)

const drawOne = async (view, { cfi, color, style }) => {
    const resolved = view.resolveNavigation(cfi)
    if (!view.book.sections[resolved.index]) throw new Error(`no section ${resolved.index}`)
    await view.renderer.goTo(resolved)
    const contents = view.renderer.getContents()[0]
    if (contents?.index !== resolved.index) throw new Error('the section does not open')
    await settle(contents.doc)
    const before = new Set(contents.overlayer.element.querySelectorAll('rect, path'))
    await view.addAnnotation({ value: cfi, color, style })
    await nextFrame()
    const rectangles = drawn(contents.overlayer, before)
    const page = view.getBoundingClientRect()
    const onPage = rectangles.length > 0 && overlaps(rectangles[0], [page])
    const answer = { index: resolved.index, rectangles: rectangles.length, onPage }
    return { ...answer, pieces: textUnder(contents.doc, rectangles) }
}

// As the reader draws: the annotation's own style in its own colour.
const drawInItsStyle = ({ detail: { draw, annotation: { color, style } } }) =>
    draw(Overlayer[style] ?? Overlayer.highlight, { color: color || DEFAULT_COLOR })

export const draw = async ({ book: number, highlights }) => {
    const view = document.createElement('foliate-view')
    Object.assign(view.style, { display: 'block', width: '900px', height: '700px' })
    document.body.append(view)
    view.addEventListener('draw-annotation', drawInItsStyle)
    const answers = []
    try {
        await view.open(await openBook(number, { withImages: true, byTheStandards: false }))
        for (const highlight of highlights) {
            try {
                answers.push(await drawOne(view, highlight))
            } catch (error) {
                answers.push({ error: `${error}` })
            }
            await view.deleteAnnotation({ value: highlight.cfi }).catch(() => {})
        }
    } finally {
        view.close()
        view.remove()
    }
    return answers
}
