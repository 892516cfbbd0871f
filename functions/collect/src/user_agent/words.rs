//! Lists of words, and where a text has one of them.
//!
//! All are looked for at once, in one pass over the text, whatever it is. Lists and texts are in lower case: an automaton
//! of both cases, or a denser one, takes longer to build, which each start waits for.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Words of a list's lines. What stands before and after one says where it counts, as `data/programs.txt` explains.
pub struct Words {
    automaton: AhoCorasick,
    words: Vec<Word>,
}

/// Where a word counts.
struct Word {
    begins: Edge,
    ends: Edge,
}

/// What one side of a word has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Anything,
    /// No letter or digit.
    OfWord,
    /// Nothing.
    OfText,
}

impl Edge {
    /// Takes the sign of an edge off a line.
    fn take<'a>(line: &'a str, signs: [char; 2], strip: fn(&'a str, char) -> Option<&'a str>) -> (Self, &'a str) {
        let [of_word, of_text] = signs;
        match (strip(line, of_word), strip(line, of_text)) {
            (Some(rest), _) => (Edge::OfWord, rest),
            (None, Some(rest)) => (Edge::OfText, rest),
            (None, None) => (Edge::Anything, line),
        }
    }

    fn allows(self, neighbour: Option<&u8>) -> bool {
        match self {
            Edge::Anything => true,
            Edge::OfWord => neighbour.is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()),
            Edge::OfText => neighbour.is_none(),
        }
    }
}

impl Words {
    /// The words of lists, one a line; lines that begin with `#` are comments.
    #[expect(clippy::expect_used, reason = "the lists are part of the program, and far from its limits")]
    pub fn of(lists: &[&str]) -> Self {
        let lines = lists.iter().flat_map(|list| list.lines());
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (words, texts): (Vec<_>, Vec<_>) = lines.map(Self::word).unzip();
        let automaton =
            AhoCorasick::builder().kind(Some(AhoCorasickKind::NoncontiguousNFA)).prefilter(false).build(texts);
        Words { automaton: automaton.expect("lists of words"), words }
    }

    fn word(line: &str) -> (Word, &str) {
        let (begins, line) = Edge::take(line, ['<', '^'], |line, sign| line.strip_prefix(sign));
        let (ends, text) = Edge::take(line, ['>', '$'], |line, sign| line.strip_suffix(sign));
        (Word { begins, ends }, text)
    }

    /// Where a text in lower case has one of the words.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let found = self.automaton.find_overlapping_iter(text).filter(|found| {
            let word = &self.words[found.pattern().as_usize()];
            let before = found.start().checked_sub(1).and_then(|at| text.as_bytes().get(at));
            word.begins.allows(before) && word.ends.allows(text.as_bytes().get(found.end()))
        });
        found.map(|found| found.range())
    }

    /// Whether a text in lower case has one of the words.
    pub fn are_in(&self, text: &str) -> bool {
        self.find(text).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_where_its_line_says() {
        let words = Words::of(&["# a comment\nbot>\n\n^curl", "<ping>\nplain\nlabs$"]);
        for text in ["googlebot/2.1", "bot", "a bot", "curl/8", "x (ping)", "explained", "by labs"] {
            assert!(words.are_in(text), "{text}");
        }
        for text in ["", "bottle", "# a comment", "libcurl", "shopping", "pinged", "labs 2"] {
            assert!(!words.are_in(text), "{text}");
        }
    }

    #[test]
    fn a_word_within_another_one_is_found() {
        let words = Words::of(&["longer word>\nword"]);
        assert_eq!(words.find("a longer words").collect::<Vec<_>>(), vec![9..13]);
    }
}
