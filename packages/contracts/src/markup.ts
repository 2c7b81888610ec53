/** So much of a text is looked at. */
const readMax = 16_384

/**
 * A text as one line without markup: of a page its title, or else its first heading; of XML the title and detail of a problem,
 * or the text of a fault. Sections of CDATA, which the framework under DACS puts around long texts, lose their frame.
 */
export function plainOf(text: string): string {
  const bare = text.slice(0, readMax).replaceAll('<![CDATA[', '').replaceAll(']]>', '')
  return oneLine(/^\s*<[a-z!?]/i.test(bare) ? wordsOf(bare) : bare)
}

function wordsOf(markup: string): string {
  const named = [textIn(markup, 'title'), textIn(markup, 'detail|messageText|message|faultstring|reason')]
  const texts = [...new Set(named.filter((text) => text !== ''))]
  if (texts.length > 0) return texts.join(': ')
  return textIn(markup, 'h1') || withoutTags(markup)
}

/** The text of the first element of such a name that has any, whatever its prefix. */
function textIn(markup: string, names: string): string {
  const [, inner = ''] = new RegExp(`<(?:\\w+:)?(?:${names})(?:\\s[^>]*)?>([\\s\\S]*?)</`, 'i').exec(markup) ?? []
  return oneLine(withoutTags(inner))
}

const withoutTags = (markup: string): string =>
  markup
    .replaceAll(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(#\d{1,7}|#x[\da-f]{1,6}|\w{2,6});/gi, (entity, name: string) => charOf(name) ?? entity)

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function charOf(name: string): string | undefined {
  if (!name.startsWith('#')) return entities[name.toLowerCase()]
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
