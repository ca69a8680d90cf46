// Why KOReader does not show a text node that the document has; empty if it does.

const RUBY = new Set(['rt', 'rp', 'rtc'])
const NO_TEXT = new Set([
    'script', 'style', 'head', 'title', 'template', 'svg', 'audio', 'video', 'canvas', 'object', 'embed', 'applet',
    'image', 'img', 'annotation', 'annotation-xml', 'textarea', 'select', 'iframe', 'datalist', 'metadata',
])
// elements in which KOReader's engine keeps no text of their own
const NO_OWN_TEXT = new Set([
    'html', 'table', 'colgroup', 'thead', 'tbody', 'tfoot', 'tr', 'col', 'source', 'param', 'area', 'input', 'track',
])

const OPS = 'http://www.idpf.org/2007/ops'
const typesOf = element => element.getAttributeNS(OPS, 'type') ?? element.getAttribute('epub:type') ?? ''
const HIDDEN_TYPES = /\bpagebreak\b/ // the numbers of a printed edition's pages
const ALTERNATIVE = /^(epub:)?case$/ // of a switch; KOReader shows the default

export const whyHidden = node => {
    if (NO_OWN_TEXT.has(node.parentElement?.localName)) return 'own text'
    for (let element = node.parentElement; element; element = element.parentElement) {
        const name = element.localName.toLowerCase()
        if (RUBY.has(name)) return 'ruby'
        if (NO_TEXT.has(name)) return name
        if (element.hasAttribute('hidden')) return 'hidden'
        if (HIDDEN_TYPES.test(typesOf(element))) return 'page number'
        if (ALTERNATIVE.test(name)) return 'switch'
        const style = element.ownerDocument.defaultView.getComputedStyle(element)
        if (style.display === 'none') return 'display'
        if (style.visibility === 'hidden') return 'visibility'
    }
    return ''
}
