//! Contrast as WCAG 2.2 counts it, of the colours that a page really has.

/// The texts that do not reach 7:1 and the edges of controls that do not reach 4.5:1, each with its
/// ratio. The browser mixes the colours itself, those that can be seen through included. A control
/// that is off is left out, as WCAG 1.4.3 and 1.4.11 do; one without edge and ground is a text.
pub(super) const FAINT: &str = "(() => { \
     const brush = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true }); \
     const mixed = colours => { brush.clearRect(0, 0, 1, 1); \
     for (const it of colours) { brush.fillStyle = it; brush.fillRect(0, 0, 1, 1); } \
     return [...brush.getImageData(0, 0, 1, 1).data]; }; \
     const light = colours => { const [r, g, b] = mixed(colours).slice(0, 3).map(it => it / 255) \
     .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4); \
     return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
     const ratio = (ground, colour) => { const [a, b] = [light(ground), light([...ground, colour])]; \
     return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }; \
     const style = it => getComputedStyle(it); \
     const dark = matchMedia('(prefers-color-scheme: dark)').matches; \
     const grounds = it => it ? [...grounds(it.parentElement), style(it).backgroundColor] \
     : [dark ? 'black' : 'white']; \
     const seen = it => it.checkVisibility({ opacityProperty: true, visibilityProperty: true }) \
     && !it.closest('svg, :disabled, [aria-disabled=true]'); \
     const clear = colour => mixed([colour])[3] === 0; \
     const found = []; \
     const judge = (it, what, least, ground, colour) => { const own = ratio(ground, colour); \
     if (own < least) found.push(`${what} ${own.toFixed(2)}:1 ${colour} ${it.outerHTML.slice(0, 200)}`); }; \
     for (const it of document.body.querySelectorAll('*')) { \
     const says = [...it.childNodes].some(own => own.nodeType === 3 && own.data.trim()); \
     const typed = it.matches('input:is([type=text], [type=email]), textarea, select'); \
     if ((says || typed) && seen(it)) judge(it, 'text', 7, grounds(it), style(it).color); } \
     for (const it of document.body.querySelectorAll('button, .button, .launcher a, select, textarea, \
     input:is([type=text], [type=email])')) { \
     if (!seen(it)) continue; \
     const { backgroundColor, borderTopColor, borderTopWidth } = style(it); \
     if (clear(borderTopColor) && clear(backgroundColor)) continue; \
     const thin = parseFloat(borderTopWidth) < 1 || clear(borderTopColor); \
     judge(it, 'edge', 4.5, grounds(it.parentElement), thin ? backgroundColor : borderTopColor); } \
     return found; })()";
