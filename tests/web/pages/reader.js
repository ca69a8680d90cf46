// The stand-in's web reader: one book with the highlights that have arrived, drawn by foliate-js, and the words that lie
// under the chosen one. Looks again every few seconds, so that what a device sends appears by itself.

import './foliate/view.js'
import { Overlayer } from './foliate/overlayer.js'
import { openBook } from './book.js'
import { nextFrame, settle, textUnder } from './under.js'

const LOOK_EVERY_MS = 3000
const number = Number(new URLSearchParams(location.search).get('book'))
const element = id => document.getElementById(id)

const view = document.createElement('foliate-view')
let highlights = []
let chosen = null

const arrived = async () => {
    const state = await (await fetch('/sandbox/state.json')).json()
    return state.books.find(({ id }) => id === number)
}

// Each mark knows its CFI, so that it can be found again among the others.
view.addEventListener('draw-annotation', ({ detail: { draw, annotation: { value, color, style } } }) =>
    draw((rectangles, options) => {
        const mark = (Overlayer[style] ?? Overlayer.highlight)(rectangles, options)
        mark.dataset.cfi = value
        return mark
    }, { color }))

const add = async highlight => {
    try {
        await view.addAnnotation({ value: highlight.cfi, color: highlight.color, style: highlight.style })
    } catch (error) {
        highlight.error = `The web reader leaves it out. ${error}` // in silence; here it is said
    }
}
view.addEventListener('create-overlay', () => highlights.forEach(add))

const tellWhatIsUnder = async () => {
    const [contents] = view.renderer.getContents()
    await settle(contents.doc)
    const marks = [...contents.overlayer.element.querySelectorAll('[data-cfi]')]
    const mark = marks.find(({ dataset }) => dataset.cfi === chosen.cfi)
    const rectangles = mark ? [...mark.children].map(child => child.getBoundingClientRect()) : []
    const words = textUnder(contents.doc, rectangles).map(([text]) => text).join(' ').replace(/\s+/g, ' ').trim()
    element('under').textContent = words ? `“${words}”` : chosen.error ?? 'Nothing is drawn on this page.'
    element('under').classList.toggle('none', !words)
}

const choose = async highlight => {
    chosen = highlight
    for (const item of element('highlights').children) {
        if (item.highlight === highlight) item.setAttribute('aria-current', 'true')
        else item.removeAttribute('aria-current')
    }
    await view.goTo(highlight.cfi)
    await tellWhatIsUnder()
    document.documentElement.dataset.shown = highlight.cfi
}

const list = highlight => {
    const item = document.createElement('li')
    item.highlight = highlight
    item.style.setProperty('--mark', highlight.color)
    item.append(`“${highlight.text}”`)
    if (highlight.note) {
        const note = document.createElement('span')
        note.className = 'note'
        note.textContent = highlight.note
        item.append(note)
    }
    item.addEventListener('click', () => choose(highlight))
    element('highlights').append(item)
}

const takeWhatIsNew = async () => {
    const known = new Set(highlights.map(({ cfi }) => cfi))
    const fresh = (await arrived()).highlights.filter(({ cfi }) => !known.has(cfi))
    highlights.push(...fresh)
    for (const highlight of fresh) {
        list(highlight)
        await add(highlight)
    }
    if (fresh.length) await choose(fresh.at(-1))
}

const book = await arrived()
element('title').textContent = book.title
element('by').textContent = book.authors.join(', ')
element('page').append(view)
await view.open(await openBook(number, { withImages: true, byTheStandards: false }))
view.renderer.setAttribute('max-column-count', '1')
await view.goTo(0)
await nextFrame()
await takeWhatIsNew()
if (!highlights.length) element('under').textContent = 'Nothing has arrived yet.'
setInterval(takeWhatIsNew, LOOK_EVERY_MS)
