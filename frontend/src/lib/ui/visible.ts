/** Characters that are invisible, break lines or change the direction of text. */
const deceptive =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/**
 * A text that a machine chose, with an escape such as ⟨U+202E⟩ for each character that could
 * hide or reorder a part of it. For titles and labels, too; on the page use
 * `foreign-text.svelte`, which also isolates it from the text around it.
 */
export const visible = (text: string): string => text.replace(deceptive, escaped);

/** What the server refuses in free text that a person enters. */
const refused = /(?![\n\r\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A sentence of the server that may quote a machine and a person: as `visible`, but with the
 * line breaks, joiners and variants that people may enter. */
export const visibleSentence = (text: string): string => text.replace(refused, escaped);

const escaped = (char: string) =>
  `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
