// Which words lie under rectangles on the page, by the layout alone.

import { whyHidden } from './hidden.js'

const SETTLE_FRAMES = 3

export const nextFrame = () => new Promise(done => requestAnimationFrame(done))

// Waits until fonts and layout have come to rest.
export const settle = async doc => {
    await doc.fonts.ready
    for (let frame = 0; frame < SETTLE_FRAMES; frame++) await nextFrame()
}

const LINE_PX = 8 // what is lower than that is a line under the letters, or through them
const NEAR_PX = 2

// The middle of a letter lies in it, or it is a line along the letter's foot.
const isUnder = (rect, rectangles) => {
    const x = (rect.left + rect.right) / 2, y = (rect.top + rect.bottom) / 2
    return rectangles.some(({ left, right, top, bottom }) => left <= x && x <= right && (
        (top <= y && y <= bottom)
        || (bottom - top < LINE_PX && top - NEAR_PX <= rect.bottom && rect.bottom <= bottom + NEAR_PX)))
}

export const overlaps = (rect, rectangles) => rectangles.some(({ left, right, top, bottom }) =>
    left <= rect.right && rect.left <= right && top <= rect.bottom && rect.top <= bottom)

// The characters whose middle lies under the rectangles; these are given as the top window sees them.
export const textUnder = (doc, rectangles) => {
    const frame = doc.defaultView.frameElement.getBoundingClientRect()
    const inFrame = rectangles.map(rect => ({
        left: rect.left - frame.left,
        right: rect.right - frame.left,
        top: rect.top - frame.top,
        bottom: rect.bottom - frame.top,
    }))
    const walker = doc.createTreeWalker(doc.documentElement, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_CDATA_SECTION)
    const range = doc.createRange()
    const pieces = []
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        range.selectNodeContents(node)
        if (![...range.getClientRects()].some(rect => overlaps(rect, inFrame))) continue
        let text = '', blanks = '' // a blank at the end of a line has no width
        for (let start = 0; start < node.length;) {
            const end = start + (node.data.codePointAt(start) > 0xffff ? 2 : 1)
            range.setStart(node, start)
            range.setEnd(node, end)
            const sign = node.data.slice(start, end)
            const rects = [...range.getClientRects()].filter(rect => rect.width > 0)
            if (rects.some(rect => isUnder(rect, inFrame))) {
                text += blanks + sign
                blanks = ''
            } else if (text && !rects.length) blanks += sign
            else blanks = ''
            start = end
        }
        if (text) pieces.push([text, whyHidden(node)])
    }
    return pieces
}
