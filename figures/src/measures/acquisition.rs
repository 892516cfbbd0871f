//! The `acquisition` measure: where sessions come from.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::TableId;
use crate::counters::sums::counts;
use crate::measures::definition::Definition;
use crate::measures::kept::kept_since;
use crate::model::Session;
use crate::time::Day;

const REFERRERS: TableId = 0;
const CHANNELS: TableId = 1;
/// The campaign parameters have the tables from here on, in the order of [`Campaign::ALL`].
const CAMPAIGNS: TableId = 2;
const SESSIONS: u32 = 0;

/// A campaign parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Campaign {
    /// `utm_source`
    Source,
    /// `utm_medium`
    Medium,
    /// `utm_campaign`
    Campaign,
    /// `utm_term`
    Term,
    /// `utm_content`
    Content,
}

impl Campaign {
    /// All of them.
    pub const ALL: [Campaign; 5] =
        [Campaign::Source, Campaign::Medium, Campaign::Campaign, Campaign::Term, Campaign::Content];

    fn table(self) -> TableId {
        CAMPAIGNS + self as TableId
    }

    fn of(self, session: &Session) -> Option<&str> {
        let value = match self {
            Campaign::Source => &session.utm_source,
            Campaign::Medium => &session.utm_medium,
            Campaign::Campaign => &session.utm_campaign,
            Campaign::Term => &session.utm_term,
            Campaign::Content => &session.utm_content,
        };
        value.as_deref().filter(|value| !value.is_empty())
    }
}

/// The measure.
pub const DEFINITION: Definition = Definition { add_session, ..Definition::new("acquisition") };

/// What a person's session adds.
fn add_session(days: &mut Days, session: &Session) {
    let rows = days.rows_mut(session.day());
    rows.add(CHANNELS, session.channel.name(), SESSIONS, 1);
    if let Some(referrer) = &session.referrer_host {
        rows.add(REFERRERS, &kept_since(session.measures, referrer), SESSIONS, 1);
    }
    for campaign in Campaign::ALL {
        if let Some(value) = campaign.of(session) {
            rows.add(campaign.table(), &kept_since(session.measures, value), SESSIONS, 1);
        }
    }
}

/// The sessions started on some days, by referring host.
pub fn referrers<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, i64)> {
    counts(days, REFERRERS, SESSIONS)
}

/// The sessions started on some days, by channel.
pub fn channels<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, i64)> {
    counts(days, CHANNELS, SESSIONS)
}

/// The sessions started on some days, by the value of a campaign parameter.
pub fn campaigns<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
    campaign: Campaign,
) -> impl Iterator<Item = (&'a str, i64)> {
    counts(days, campaign.table(), SESSIONS)
}
