//! The `audience` measure: sessions by where they come from and what they are made with, each by its visitor's next active day, so
//! that a visitor of any range is counted once in each list, at its last session there (see [`next_active_day`]).
//!
//! All of it is what the session's first stored batch says, as the session's row in lists shows it. What a visitor was last seen
//! with changes with each of its batches, and none of its sessions would stay where it is counted.

use std::borrow::Cow;

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::next_active_day;
use crate::counters::rows::{Cells, TableId};
use crate::counters::shown::shown;
use crate::counters::sums::sums;
use crate::measures::crowd::STAYS;
use crate::measures::definition::Definition;
use crate::measures::event_data::joint_key;
use crate::measures::kept::kept;
use crate::measures::visits;
use crate::model::Session;
use crate::model::session::Device;
use crate::time::Day;

/// The field of a session whose visitor has a later one on its day: no range counts the visitor there.
const FOLLOWED: u32 = 0;
/// From here on sessions have the fields of their next active days.
const NEXT: u32 = 1;

/// What a list is by; each has the table of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// Country code and name, together.
    Country,
    /// The browser's name.
    Browser,
    /// The operating system.
    System,
    /// City and country code, together.
    City,
    /// The kind of device.
    Device,
    /// The language, without its region.
    Language,
    /// Width and height of the screen.
    Screen,
}

impl Trait {
    fn table(self) -> TableId {
        self as TableId
    }
}

/// The visitors and sessions of a row. One that has more of them comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audience {
    /// Visitors whose last session of the range is among the sessions.
    pub visitors: u64,
    /// Sessions started in the range.
    pub sessions: u64,
}

impl Audience {
    /// Adds another row.
    pub fn add(&mut self, other: Audience) {
        self.visitors += other.visitors;
        self.sessions += other.sessions;
    }
}

/// The measure.
pub const DEFINITION: Definition = Definition { since: 3, add_session, strength, ..Definition::new("audience") };

/// As many visitors as a day has, and one where all of them are counted elsewhere: the row has sessions still. What `/visitors` filters
/// by is kept apart as it is there, where clients can't choose it.
fn strength(table: TableId, row: Cells<'_>) -> i64 {
    if table <= Trait::System.table() {
        return STAYS;
    }
    let visitors = row.from_field(NEXT).fold(0_i64, |sum, (_, count)| sum.saturating_add(count));
    visitors.max(i64::from(row.iter().any(|(_, count)| count > 0)))
}

/// What a person's session adds: one counter in each list.
fn add_session(days: &mut Days, session: &Session) {
    let field = visits::field(session).map_or(FOLLOWED, |next| NEXT + next);
    let rows = days.rows_mut(session.day());
    let mut add = |of: Trait, key: &str| rows.add(of.table(), key, field, 1);
    let (code, city) = (session.geo_country_code.as_deref(), session.geo_city.as_deref().map(kept));
    add(Trait::Country, &place([code, session.geo_country.as_deref()]));
    add(Trait::City, &place([city.as_deref(), code]));
    add(Trait::Browser, session.browser_name.as_deref().unwrap_or_default());
    add(Trait::System, session.os.as_deref().unwrap_or_default());
    // Where functions of a release that does not know it have stored the session again, what it was made with is lost.
    if let Some(device) = &session.device {
        add(Trait::Device, device_name(device));
        add(Trait::Language, &kept(device.language.as_deref().unwrap_or_default()));
        add(Trait::Screen, &screen(device));
    }
}

/// The key of a place. Most have both parts; an empty one is not known.
fn place(parts: [Option<&str>; 2]) -> String {
    joint_key(parts.map(|part| part.filter(|part| !part.is_empty())))
}

fn device_name(device: &Device) -> &'static str {
    match device.mobile {
        None => "",
        Some(0) => "desktop",
        Some(_) => "mobile",
    }
}

fn screen(device: &Device) -> Cow<'static, str> {
    device.screen.map_or(Cow::Borrowed(""), |(width, height)| Cow::Owned(format!("{width}x{height}")))
}

/// The rows of a list over the days of a range that ends on `end`, ascending by key. The key of what is not known is empty.
pub fn audience<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
    of: Trait,
    end: Day,
) -> impl Iterator<Item = (&'a str, Audience)> {
    let rows = sums(days, [of.table()], move |sum: &mut Audience, (day, _), row| {
        let visitors = next_active_day::counted(row, NEXT, day, end);
        sum.add(Audience { visitors, sessions: shown(row.iter().map(|(_, count)| count).sum()) });
    });
    rows.filter(|(_, audience)| audience.sessions > 0)
}
