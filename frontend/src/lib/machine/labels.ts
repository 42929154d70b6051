/** A change of the attributes and tags of a machine, as the page makes it. */
type LabelChange = { add: string } | { removeTag: string } | { removeAttribute: string };

/** The input of the API for a change. Text with "=" is an attribute, other text a tag. */
export function labelsOf(change: LabelChange) {
  if ('removeTag' in change) return { removeTags: [change.removeTag] };
  if ('removeAttribute' in change) return { removeAttributes: [change.removeAttribute] };
  const text = change.add.trim();
  const at = text.indexOf('=');
  if (at < 0) return { addTags: [text] };
  return { setAttributes: [{ name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }] };
}

/** Reads the text of a field such as "canary rack=3". */
function parse(text: string) {
  const parts = text.split(/\s+/).filter(Boolean);
  return {
    attributes: parts
      .filter((part) => part.includes('='))
      .map((part) => ({ name: part.slice(0, part.indexOf('=')), value: part.slice(part.indexOf('=') + 1) })),
    tags: parts.filter((part) => !part.includes('=')),
  };
}

/** The API filter for the text of the filter field. */
export function labelFilter(text: string) {
  const { attributes, tags } = parse(text);
  return { ...(attributes.length > 0 && { attributes }), ...(tags.length > 0 && { tags }) };
}

/** The input of the API that sets the attributes and tags of a text. */
export function addedLabels(text: string) {
  const { attributes, tags } = parse(text);
  return { setAttributes: attributes, addTags: tags };
}
