//! The tables, and the bounds that growth is held to.

use serde::Serialize;

use crate::load::Speed;
use crate::reads::Cost;
use crate::writes::Units;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The data sets, from small to large, the special ones last.
    pub sets: Vec<Set>,
    /// What page views cost to write.
    pub writes: Vec<Units>,
}

/// What was measured on one data set.
#[derive(Debug, Serialize)]
pub struct Set {
    /// What it is called.
    pub name: String,
    /// Whether it differs from the other plain ones in nothing but its size.
    pub is_plain: bool,
    /// How quickly it was loaded.
    pub speed: Speed,
    /// What requests cost on it.
    pub costs: Vec<Cost>,
    /// Memory of the process with all in it, the data included, in MiB.
    pub memory_mib: f64,
}

impl Report {
    /// The tables, as Markdown.
    pub fn markdown(&self) -> String {
        let mut lines = Vec::new();
        self.reads(&mut lines);
        lines.push(String::new());
        self.loads(&mut lines);
        lines.push(String::new());
        self.page_views(&mut lines);
        lines.join("\n") + "\n"
    }

    fn reads(&self, lines: &mut Vec<String>) {
        let units: String = self.sets.iter().map(|set| format!(" {} |", set.name)).collect();
        lines.push(format!(
            "| endpoint | page | read units:{units} growth | counters' growth | calls | round trips (first request) | KB | median, ms | p99, ms | memory, MiB |"
        ));
        lines.push(format!("|---|---|{}---|---|---|---|---|---|---|---|", "---:|".repeat(self.sets.len())));
        let Some(largest) = self.sets.iter().rfind(|set| set.is_plain) else { return };
        for (at, cost) in largest.costs.iter().enumerate() {
            let units: String = self.sets.iter().map(|set| format!(" {} |", units_of(set, at))).collect();
            lines.push(format!(
                "| `{}` | {} |{units} {} | {} | {} | {} ({}) | {:.0} | {:.1} | {:.1} | {:.0} |",
                cost.name,
                cost.page,
                times(self.growth(at)),
                times(self.growth_of_counters(at)),
                cost.calls,
                cost.round_trips,
                cost.cold_round_trips,
                cost.bytes as f64 / 1_000.0,
                cost.median_ms,
                cost.p99_ms,
                cost.memory_mib,
            ));
        }
    }

    fn loads(&self, lines: &mut Vec<String>) {
        lines.push(
            "| data set | events | batches | stored, batches/s | counted, batches/s | in all, s | memory, MiB |"
                .to_owned(),
        );
        lines.push("|---|---|---|---|---|---|---|".to_owned());
        for Set { name, speed, memory_mib, .. } in &self.sets {
            let Speed { events, batches, stored_s, counted_s } = speed;
            let (stored, counted) = (*batches as f64 / stored_s, *batches as f64 / counted_s);
            lines.push(format!(
                "| {name} | {events} | {batches} | {stored:.0} | {counted:.0} | {counted_s:.0} | {memory_mib:.0} |"
            ));
        }
    }

    fn page_views(&self, lines: &mut Vec<String>) {
        let mut kinds: Vec<&str> = self.writes.iter().flat_map(|units| units.kinds.keys().copied()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let heading: String = self.writes.iter().map(|units| format!(" {} |", units.name)).collect();
        lines.push(format!("| write units a page view |{heading}"));
        lines.push(format!("|---|{}", "---|".repeat(self.writes.len())));
        for kind in kinds {
            let cells = self.writes.iter().map(|units| units.kinds.get(kind).copied().unwrap_or_default());
            lines.push(format!("| {kind} |{}", cells.map(|units| format!(" {units:.2} |")).collect::<String>()));
        }
        let totals: String = self.writes.iter().map(|units| format!(" **{:.2}** |", units.total)).collect();
        lines.push(format!("| **all** |{totals}"));
    }

    /// How much a request's units grew from the last plain data set but one to the last, without those of the tail.
    fn growth(&self, at: usize) -> Option<f64> {
        let (smaller, larger) = self.last_two(at)?;
        Some(larger.untailed() / smaller.untailed())
    }

    /// How much the counters grew that a request adds up.
    fn growth_of_counters(&self, at: usize) -> Option<f64> {
        let (smaller, larger) = self.last_two(at)?;
        Some(larger.counters_a_day? / smaller.counters_a_day?.max(1.0))
    }

    fn last_two(&self, at: usize) -> Option<(&Cost, &Cost)> {
        let plain: Vec<&Set> = self.sets.iter().filter(|set| set.is_plain).collect();
        let [.., smaller, larger] = plain[..] else { return None };
        smaller.costs.get(at).zip(larger.costs.get(at))
    }

    /// The bounds that do not hold.
    pub fn broken(&self) -> Vec<String> {
        let Some(largest) = self.sets.iter().rfind(|set| set.is_plain) else { return Vec::new() };
        let mut broken = Vec::new();
        for (at, cost) in largest.costs.iter().enumerate() {
            let what = format!("{} {}", cost.name, cost.page);
            let growth = self.growth(at).unwrap_or(1.0);
            let bound = bound(cost).map(|bound| bound * self.growth_of_counters(at).unwrap_or(1.0).max(1.0));
            // Pages that are not full in both sets, as a last one seldom is, differ by their rows.
            let are_alike = cost.page != "last" && self.last_two(at).is_none_or(|(one, other)| one.rows == other.rows);
            if let Some(bound) = bound.filter(|bound| growth > *bound && are_alike) {
                broken.push(format!("{what}: {growth:.2} times the read units, at most {bound:.2}"));
            }
            let is_plain_list = ["visitors", "sessions", "events"].contains(&cost.name.as_str());
            if is_plain_list && cost.page == "first" && cost.read_units > MAX_FIRST_PAGE {
                broken.push(format!("{what}: {:.1} read units, at most {MAX_FIRST_PAGE}", cost.read_units));
            }
            let first = largest.costs.iter().find(|first| first.name == cost.name && first.page == "first");
            if let Some(first) = first.filter(|first| is_plain_list && cost.read_units > 3.0 * first.read_units) {
                broken.push(format!("{what}: {:.1} read units, page 1 takes {:.1}", cost.read_units, first.read_units));
            }
            let trips = if cost.page.is_empty() || cost.page == "first" { 2 } else { 3 };
            if cost.round_trips > trips {
                broken.push(format!("{what}: {} round trips, at most {trips}", cost.round_trips));
            }
        }
        for set in &self.sets {
            for cost in set.costs.iter().filter(|cost| !is_search(cost) && cost.read_units > MAX_UNITS) {
                let Cost { name, page, read_units, .. } = cost;
                broken.push(format!("{}: {name} {page}: {read_units:.1} read units, at most {MAX_UNITS}", set.name));
            }
        }
        for (units, most) in self.writes.iter().zip(MAX_WRITES) {
            if units.total > most {
                broken.push(format!("{}: {:.2} write units a page view, at most {most}", units.name, units.total));
            }
        }
        broken
    }
}

/// Read units of any request whose cost is bounded.
const MAX_UNITS: f64 = 150.0;
/// Read units of an unfiltered list's first page.
const MAX_FIRST_PAGE: f64 = 40.0;
/// Write units of a page view: alone, at volume.
const MAX_WRITES: [f64; 2] = [20.0, 10.0];

/// Whether a request goes through something of every visit of the range, and so grows with the data by nature.
fn is_search(cost: &Cost) -> bool {
    ["search=", "url=", "frustration"].iter().any(|part| cost.name.contains(part))
}

/// How much a request's units may grow while the data grows tenfold, times the growth of the counters that it adds up, which
/// ends where every key is seen every day. `None` for what grows by nature: `live` with the visits of the last hour or two.
fn bound(cost: &Cost) -> Option<f64> {
    let has = |part: &str| cost.name.contains(part);
    match () {
        () if is_search(cost) || cost.name == "live" => None,
        () if has("browser=") || has("os=") || has("country=") => Some(1.5),
        () => Some(1.3),
    }
}

impl Cost {
    /// Its read units without those of the tail, and at least half a one.
    fn untailed(&self) -> f64 {
        (self.read_units - self.tail_units).max(0.5)
    }
}

fn times(growth: Option<f64>) -> String {
    growth.map_or_else(|| "–".to_owned(), |growth| format!("{growth:.2}"))
}

fn units_of(set: &Set, at: usize) -> String {
    set.costs.get(at).map_or_else(|| "–".to_owned(), |cost| format!("{:.1}", cost.read_units))
}
