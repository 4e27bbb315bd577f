// The sentences of the scripts. They come with the page, in its language, as JSON of one section each.

/** The text of a name such as "passkey.cancelled", with the values that it names in braces. */
export function text(name, values = {}) {
  const [section, key] = name.split(".");
  const texts = JSON.parse(document.querySelector(`script[data-texts="${section}"]`).textContent);
  const { one, other } = texts[key];
  const form = other === undefined ? texts[key] : Object.values(values).includes(1) ? one : other;
  return form.replace(/\{(\w+)\}/g, (_, value) => values[value]);
}
