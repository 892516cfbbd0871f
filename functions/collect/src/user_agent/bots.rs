//! Bots that say what they are: crawlers, monitors, programs, and browsers that a program drives.

use super::agent::Agent;
use super::words::Words;

/// A list that others keep; `scripts/update-crawlers` brings a newer one.
const CRAWLERS: &str = include_str!("../../data/crawlers.txt");
/// What it lacks.
const PROGRAMS: &str = include_str!("../../data/programs.txt");
/// What people's devices and browsers are called that looks like a bot's word.
const PEOPLE: &str = include_str!("../../data/people.txt");

/// What programs send that have no name to give.
const PLACEHOLDERS: [&str; 9] = ["-", "--", "null", "(null)", "nil", "none", "undefined", "unknown", "user-agent"];

/// Before the name of who is no browser, but answers as one.
const COMPATIBLE: &str = "compatible;";
/// What browsers say after it.
const COMPATIBLE_BROWSERS: &[&str] = &[
    "MSIE ",
    "Konqueror",
    "iCab",
    "OmniWeb",
    "WebTV",
    "NetFront",
    "IEMobile",
    "Windows",
    "Opera",
    "Linux",
    "Android",
    "U;",
    "IBrowse",
    "NetPositive",
    "OffByOne",
    "Polaris",
    "ANTGalio",
    "Amiga-AWeb",
    "ms-office",
];

/// Tells bots from people.
pub struct Bots {
    declared: Words,
    people: Words,
}

impl Bots {
    /// Reads the lists.
    pub fn new() -> Self {
        Bots { declared: Words::of(&[CRAWLERS, PROGRAMS]), people: Words::of(&[PEOPLE]) }
    }

    /// Whether a user agent is that of a declared bot. One that says nothing at all declares nothing.
    pub fn include(&self, agent: Agent<'_>) -> bool {
        let is_placeholder = PLACEHOLDERS.iter().any(|text| agent.text.eq_ignore_ascii_case(text));
        is_placeholder || is_compatible_alone(agent.text) || self.declared.are_in(&self.without_people(agent))
    }

    /// The user agent in lower case, without what devices and browsers of people are called.
    fn without_people(&self, agent: Agent<'_>) -> String {
        let text = match android_model(agent.device) {
            "" => agent.text.to_ascii_lowercase(),
            model => agent.text.replacen(model, " ", 1).to_ascii_lowercase(),
        };
        let mut rest = String::with_capacity(text.len());
        let mut end = 0;
        for name in self.people.find(&text) {
            rest.push_str(text.get(end..name.start).unwrap_or_default());
            rest.push(' ');
            end = end.max(name.end);
        }
        rest + text.get(end..).unwrap_or_default()
    }
}

/// What follows Android's version: the language at times, and the model with its build. Anything may be a model's name;
/// bots that pretend to be a telephone name themselves behind it.
fn android_model(device: &str) -> &str {
    let after = device.split_once("Android").and_then(|(_, rest)| rest.split_once(';')).map_or("", |(_, model)| model);
    let model = match after.split_once(';') {
        Some((first, rest)) if is_language(first.trim()) => after.len() - rest.len(),
        _ => 0,
    };
    let end_of_part = |from: usize| after[from..].find(';').map(|end| from + end);
    let end_of_build = after.find("Build/").and_then(end_of_part);
    let end = end_of_build.or_else(|| end_of_part(model)).unwrap_or(after.len());
    &after[..after.find(COMPATIBLE).map_or(end, |compatible| end.min(compatible))]
}

/// Whether a text is a language's tag, such as `en-us`.
fn is_language(text: &str) -> bool {
    matches!(text.len(), 2 | 5) && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(&byte))
}

/// Whether somebody is compatible with browsers, and none.
fn is_compatible_alone(text: &str) -> bool {
    text.to_ascii_lowercase().match_indices(COMPATIBLE).any(|(at, _)| {
        let name = text[at + COMPATIBLE.len()..].trim_start();
        !COMPATIBLE_BROWSERS.iter().any(|browser| is_called(name, browser))
    })
}

/// Whether a text begins with a name, and not with a longer one.
fn is_called(text: &str, name: &str) -> bool {
    let ends = |rest: &str| name.ends_with([' ', ';']) || !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    text.strip_prefix(name).is_some_and(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_lower_case() {
        let lines = [CRAWLERS, PROGRAMS, PEOPLE].into_iter().flat_map(str::lines);
        for line in lines.filter(|line| !line.starts_with('#')) {
            assert_eq!(line, line.trim().to_ascii_lowercase(), "{line}");
        }
    }

    #[test]
    fn what_people_have_is_taken_out_wherever_it_is() {
        let bots = Bots::new();
        for (text, rest) in [
            ("SogouMSE,SogouMobileBrowser/6 Cubot", " , /6  "),
            ("A (Linux; Android 12; Spider 8) B", "a (linux; android 12; ) b"),
            ("A (Linux; Android 12; Spider 8 Build/1; Xbot) B", "a (linux; android 12; ; xbot) b"),
            ("A (Linux; U; Android 12; en-us; Spider 8; Xbot) B", "a (linux; u; android 12; ; xbot) b"),
            ("A (Linux; Android 12; K; +https://a.example) B", "a (linux; android 12; ; +https://a.example) b"),
            ("M\u{fc}nchen", "m\u{fc}nchen"),
        ] {
            assert_eq!(bots.without_people(Agent::of(text)), rest);
        }
    }
}
