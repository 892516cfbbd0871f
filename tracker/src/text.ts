// Text that leaves the page: short, one line, and without what may be about a person.

export const maskEmails = (text: string): string => text.replace(/\S{1,64}@\S+/g, '*');

/** Text of at most `max` characters, with e-mail addresses, runs of `digits` digits and tokens masked. */
export const scrub = (text: unknown, max: number, digits = 7): string => {
  let line = String(text ?? '').slice(0, max * 4 + 1);
  // The bound is for the patterns' work. A word that it cut goes: half an address would not be known for one.
  if (line.length > max * 4) line = line.replace(/\S*$/, '');
  return (
    maskEmails(line.replace(/\s+/g, ' ').trim())
      // Long words with a digit: hashes, UUIDs, tokens.
      .replace(/[\w-]{8,}/g, (word) => (/\d/.test(word) && (/^[\da-f-]+$/i.test(word) || (word.length > 19 && /[a-z]/i.test(word))) ? '*' : word))
      .replace(RegExp('\\p{Nd}([ -]?\\p{Nd}){' + (digits - 1) + ',}', 'gu'), '*')
      .slice(0, max)
  );
};

/** A title; a counter of unread messages would make each one a new one. */
export const titleOf = (title: string): string => scrub(title.replace(/^\(\d+\+?\)\s*/, ''), 200);
