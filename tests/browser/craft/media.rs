//! Pages for whoever asks their system for colours of their own, for more contrast, for stillness or for
//! paper.

use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetEmulatedMediaParams};

use super::contrast::FAINT;
use crate::window::Window;

/// The controls that can be seen and have no edge, and none that has the focus.
const EDGELESS: &str = "(() => { const found = []; \
     const style = it => getComputedStyle(it); \
     const thin = it => style(it).borderTopStyle !== 'solid' || parseFloat(style(it).borderTopWidth) < 1; \
     for (const it of document.querySelectorAll('button, .button, input:not([type=hidden]), .notice, .card')) { \
     if (!it.checkVisibility() || it.type === 'checkbox' || it.type === 'radio') continue; \
     if (thin(it) || style(it).borderTopColor === style(it.parentElement).backgroundColor) found.push(it.outerHTML); } \
     return found; })()";

/// The controls that would not show that they have the focus.
const UNMARKED: &str = "(() => { const before = document.activeElement; const found = []; \
     for (const it of document.querySelectorAll('a[href], button, input:not([type=hidden]), summary')) { \
     if (!it.checkVisibility() || it.disabled) continue; \
     document.activeElement?.blur(); it.focus({ focusVisible: true, preventScroll: true }); \
     const { outlineStyle, outlineWidth } = getComputedStyle(it); \
     if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) found.push(it.outerHTML); } \
     before?.focus({ preventScroll: true }); if (before === document.body) document.activeElement.blur(); \
     return found; })()";

/// What would move.
const MOVING: &str = "[...document.querySelectorAll('*')].filter(it => { \
     const { animationName, transitionDuration } = getComputedStyle(it); \
     return animationName !== 'none' || /[1-9]/.test(transitionDuration); }).map(it => it.outerHTML)";

/// What paper has no use for.
const UNPRINTABLE: &str = "[...document.querySelectorAll('button, .button, .lodge')] \
     .filter(it => it.checkVisibility()).map(it => it.outerHTML)";

/// Gives `window` these features of media.
pub(super) async fn emulate(window: &Window, media: &str, features: &[(&str, &str)]) {
    let given = features.iter().map(|(name, value)| MediaFeature::new(*name, *value));
    let emulated = SetEmulatedMediaParams::builder().media(media).features(given);
    window.page.execute(emulated.build()).await.unwrap();
    for (name, value) in features {
        let matches = format!("matchMedia('({name}: {value})').matches");
        assert_eq!(window.ask(&matches).await, Some(true), "{name}: {value} is not emulated");
    }
}

/// Asserts that `script` finds nothing.
async fn finds_nothing(window: &Window, script: &str, sentence: &str) {
    let found: Vec<String> = window.ask(script).await.unwrap();
    assert!(found.is_empty(), "{sentence}: {found:#?}");
}

/// Asserts that the page suits whoever asks for their own colours, for more contrast, for stillness or for
/// paper.
pub(crate) async fn suits_everybody(window: &Window, name: &str) {
    // Colours that are still on their way to others would be judged.
    let still = ("prefers-reduced-motion", "reduce");
    for scheme in ["light", "dark"] {
        let scheme = ("prefers-color-scheme", scheme);
        emulate(window, "", &[scheme, still, ("prefers-contrast", "more")]).await;
        let sentence = format!("{name} is faint where more contrast is asked for, {}", scheme.1);
        finds_nothing(window, FAINT, &sentence).await;
    }
    for scheme in ["light", "dark"] {
        let scheme = ("prefers-color-scheme", scheme);
        emulate(window, "", &[scheme, still, ("forced-colors", "active")]).await;
        let sentence = format!("{name} has no edges in forced colours, {}", scheme.1);
        finds_nothing(window, EDGELESS, &sentence).await;
    }
    finds_nothing(window, UNMARKED, &format!("{name} does not mark the focus")).await;
    finds_nothing(window, MOVING, &format!("{name} moves for whoever asks for stillness")).await;
    emulate(window, "print", &[]).await;
    finds_nothing(window, UNPRINTABLE, &format!("{name} is printed with")).await;
    emulate(window, "", &[]).await;
}
