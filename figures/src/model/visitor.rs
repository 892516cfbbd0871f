//! A visitor's state, with its latest session inside: one item to rewrite for nearly every batch.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;
use crate::model::batch::{Batch, StoredOrder, VisitorFacts};
use crate::model::seen::SeenDays;
use crate::model::seen_runs::{SeenMemory, SeenRuns};
use crate::model::session::{Session, WithLater};
use crate::table::codec::{self, CodecError, Packed};
use crate::time::Millis;

/// Above this score a visitor is a bot.
pub const MAX_HUMAN_SCORE: u8 = 40;

/// A visitor and its latest session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The profile: that of the batch with the latest instant.
    pub profile: Profile,
    /// The earliest instant known.
    pub first_seen_at: Millis,
    /// The latest instant known.
    pub last_seen_at: Millis,
    /// Sessions ever.
    pub visit_count: u32,
    /// The longest time from a session's start to the latest instant known of it: with the next one, between which starts the
    /// sessions of a range are found.
    pub longest_session_ms: i64,
    /// The longest time by which a session's earliest instant comes before its start.
    pub longest_lead_ms: i64,
    /// The highest score ever reported, if anyone's word is taken for it.
    pub bot_score: u8,
    /// The site's own names for the visitor, in order of first link.
    pub aliases: Vec<Alias>,
    /// Whether earlier sessions may still be counted though the visitor turned out to be a bot, or not be counted though it
    /// turned out to be none.
    pub recounting: bool,
    /// Whether it is being erased: its batches are refused, and its sessions go one by one.
    pub is_erased: bool,
    /// At which URLs, messages and elements it was seen, and on which days, as far as it is counted; the last of them.
    pub seen: SeenDays,
    /// Whether more of that is in shards, which were written before there were runs.
    pub has_seen_more: bool,
    /// The session that started last; earlier ones are items of their own.
    pub latest: Session,
    /// The runs that remember more of what was seen. They stand behind what `latest` ends with, which came before them.
    #[serde(deserialize_with = "codec::or_default")]
    pub runs: SeenRuns,
    /// Whether it is a person whatever is reported, as the project's owner says. It stands behind what came before it; what is stored
    /// next is what [`WithLater`] has, so whatever is added to a state now goes behind that.
    #[serde(deserialize_with = "codec::or_default")]
    pub is_trusted: bool,
}

/// The visitor as its batch with the latest instant saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// That instant.
    pub at: Millis,
    /// That batch's position in the order of storage, which decides between equal instants.
    pub stored: StoredOrder,
    /// What it said of the visitor.
    pub facts: VisitorFacts,
    /// The page the visitor was on.
    pub page: Option<String>,
    /// The session it was in.
    pub session_id: SessionId,
}

impl Profile {
    /// The profile a batch shows.
    pub fn of(batch: &Batch) -> Self {
        Profile {
            at: batch.last_instant(),
            stored: batch.stored_order(),
            facts: VisitorFacts { aliases: Vec::new(), ..batch.visitor.clone() },
            page: batch.last_page().map(str::to_owned),
            session_id: batch.session_id.clone(),
        }
    }
}

/// The most aliases a visitor has; further ones are not kept.
pub const MAX_ALIASES: usize = 100;

/// The most bytes that they come to: what lists visitors reads each one whole, up to five hundred at once.
pub const MAX_ALIASES_BYTES: usize = 8 << 10;

/// One of the site's own names for a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The first batch that linked it, and its position there.
    pub linked: (StoredOrder, u32),
    /// The name.
    pub name: String,
}

impl Packed<'_> for Visitor {
    type V2 = VisitorV2;
    type V3 = WithLater<Self>;
}

impl From<WithLater<Visitor>> for Visitor {
    fn from(stored: WithLater<Visitor>) -> Self {
        stored.complete(|visitor| &mut visitor.latest)
    }
}

/// A visitor in format 2, which does not tell how long its sessions are.
#[derive(Debug, Deserialize)]
pub struct VisitorV2 {
    profile: Profile,
    first_seen_at: Millis,
    last_seen_at: Millis,
    visit_count: u32,
    bot_score: u8,
    aliases: Vec<Alias>,
    recounting: bool,
    is_erased: bool,
    seen: SeenDays,
    has_seen_more: bool,
    latest: Session,
}

impl From<VisitorV2> for Visitor {
    fn from(was: VisitorV2) -> Self {
        // All sessions lie between these instants. It is more than the longest one takes, so readers look at more of them
        // than they need to; where there is only one, it is known.
        let longest = was.last_seen_at.0 - was.first_seen_at.0;
        let (longest_session_ms, longest_lead_ms) = match was.visit_count {
            0 | 1 => (was.latest.span_ms(), was.latest.lead_ms()),
            _ => (longest, longest),
        };
        Visitor {
            profile: was.profile,
            first_seen_at: was.first_seen_at,
            last_seen_at: was.last_seen_at,
            visit_count: was.visit_count,
            longest_session_ms,
            longest_lead_ms,
            bot_score: was.bot_score,
            aliases: was.aliases,
            recounting: was.recounting,
            is_erased: was.is_erased,
            seen: was.seen,
            has_seen_more: was.has_seen_more,
            latest: was.latest,
            runs: SeenRuns::default(),
            is_trusted: false,
        }
    }
}

impl Visitor {
    /// The visitor that a batch makes known, before the batch is applied.
    pub fn begin(batch: &Batch, session: Session) -> Self {
        Visitor {
            profile: Profile::of(batch),
            first_seen_at: session.earliest(),
            last_seen_at: session.latest(),
            visit_count: 0,
            longest_session_ms: 0,
            longest_lead_ms: 0,
            bot_score: 0,
            aliases: Vec::new(),
            recounting: false,
            is_erased: false,
            seen: SeenDays::default(),
            has_seen_more: false,
            latest: session,
            runs: SeenRuns::default(),
            is_trusted: false,
        }
    }

    /// Packs it.
    pub fn pack(&self) -> Result<Vec<u8>, CodecError> {
        codec::pack(&WithLater::new(self, &self.latest))
    }

    /// Takes out what it remembers of where it was seen.
    pub fn take_seen(&mut self) -> SeenMemory {
        SeenMemory::of(std::mem::take(&mut self.seen), std::mem::take(&mut self.runs), self.has_seen_more)
    }

    /// Puts back what [`Visitor::take_seen`] took out.
    pub fn put_seen(&mut self, memory: SeenMemory) {
        (self.seen, self.runs, self.has_seen_more) = memory.into_state();
    }

    /// Whether it is left out of every figure.
    pub fn is_bot(&self) -> bool {
        self.bot_score > MAX_HUMAN_SCORE
    }

    /// From now on it is a person, as if no score had ever been reported.
    pub fn trust(&mut self) {
        (self.is_trusted, self.bot_score) = (true, 0);
    }

    /// Takes from a batch what it says about the visitor.
    pub fn observe(&mut self, batch: &Batch) {
        if !self.is_trusted {
            self.bot_score = self.bot_score.max(batch.visitor.bot_score);
        }
        let profile = Profile::of(batch);
        if (profile.at, &profile.stored) > (self.profile.at, &self.profile.stored) {
            self.profile = profile;
        }
        for (position, name) in batch.visitor.aliases.iter().enumerate() {
            self.link(name, (batch.stored_order(), position as u32));
        }
    }

    /// Takes over aliases that were linked by batches which are not there any more.
    pub fn take_over_aliases(&mut self, aliases: &[Alias]) {
        for alias in aliases {
            self.link(&alias.name, alias.linked.clone());
        }
    }

    fn has_room_for(&self, alias: &str) -> bool {
        let bytes: usize = self.aliases.iter().map(|alias| alias.name.len()).sum();
        self.aliases.len() < MAX_ALIASES && bytes + alias.len() <= MAX_ALIASES_BYTES
    }

    fn link(&mut self, name: &str, linked: (StoredOrder, u32)) {
        match self.aliases.iter().position(|alias| alias.name == name) {
            Some(known) if self.aliases[known].linked <= linked => return,
            Some(known) => self.aliases[known].linked = linked,
            None if !self.has_room_for(name) => return,
            None => self.aliases.push(Alias { linked, name: name.to_owned() }),
        }
        self.aliases.sort_by(|a, b| a.linked.cmp(&b.linked));
    }
}
