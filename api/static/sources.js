// What a reply rests on, one entry for each document however often it is cited.

/** Citations by document, in order of first mention: `{ citation, numbers, quotes }`; numbers count from 1. */
export function bySource(citations) {
  const found = new Map();
  citations.forEach((citation, index) => {
    const key = JSON.stringify([citation.article_id, citation.conversation_id, citation.title]);
    const source = found.get(key) ?? { citation, numbers: [], quotes: [] };
    source.numbers.push(index + 1);
    if (!source.quotes.includes(citation.quote)) source.quotes.push(citation.quote);
    found.set(key, source);
  });
  return [...found.values()];
}
