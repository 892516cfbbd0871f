//! The table, and the bounds that a page view is held to.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::BenchError;
use crate::bill::charges::{Cause, Charge, MILLION, charges, sum, total};
use crate::bill::prices::{LOOKED_UP, Prices};
use crate::bill::simulation::Measured;
use crate::ledger::{ByKind, Units};

/// Machines that others run on, and up to how many page views a month they are commonly chosen.
const PEERS: [(&str, &str, &[&str]); 4] = [
    ("100,000 to 1,000,000", "one t4g.small with application and database", &["t4g.small"]),
    ("the same, with a database that is backed up", "t4g.small and RDS db.t4g.small", &["t4g.small", "db.t4g.small"]),
    ("10,000,000", "t4g.medium and RDS db.t4g.medium", &["t4g.medium", "db.t4g.medium"]),
    (
        "100,000,000",
        "two m7g.large, RDS db.m7g.xlarge, a load balancer",
        &["m7g.large", "m7g.large", "db.m7g.xlarge", "load_balancer"],
    ),
];

/// What a page view may take, at a month's page views, with the settings of [`CHECKED`]: so few page views took 5.16 to 5.44 write units and 4.13 to
/// 4.46 read units at a million a month, as the moments at which tails are looked at are random, and with them which segments
/// are replaced. The bounds are 8 % above the most; before segments were replaced, it took 6.69 units.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    a_month: f64,
    write_units: f64,
    read_units: f64,
    bytes: f64,
}

const BOUNDS: [Bounds; 2] = [
    Bounds { a_month: 1_000_000.0, write_units: 5.90, read_units: 4.80, bytes: 760.0 },
    Bounds { a_month: 10_000_000.0, write_units: 4.90, read_units: 2.95, bytes: 770.0 },
];

/// What is simulated to be checked, of the seed 1: page views that are measured, and visits of the time before.
pub const CHECKED: (f64, usize) = (600.0, 400);

/// The months that are checked, in page views.
pub fn checked_months() -> Vec<f64> {
    BOUNDS.iter().map(|bounds| bounds.a_month).collect()
}

/// What is over its bound.
pub fn broken(scales: &[Scale]) -> Vec<String> {
    let of_scale = |scale: &Scale| {
        let Some(bounds) = BOUNDS.iter().find(|bounds| bounds.a_month == scale.a_month) else { return Vec::new() };
        let figures = [
            ("write units", scale.write_units(), bounds.write_units),
            ("read units", scale.read_units(), bounds.read_units),
            ("bytes stored", scale.bytes(), bounds.bytes),
        ];
        let over = figures.into_iter().filter(|(_, figure, bound)| figure > bound);
        over.map(|(name, figure, bound)| {
            format!("{name} of a page view at {} a month: {figure:.2}, not {bound:.2}", grouped(scale.a_month))
        })
        .collect()
    };
    scales.iter().flat_map(of_scale).collect()
}

/// What so many page views a month take and cost.
#[derive(Debug, Serialize)]
pub struct Scale {
    /// Page views a month.
    pub a_month: f64,
    /// What was measured.
    pub measured: Measured,
    /// The bill of a million page views.
    pub charges: Vec<Charge>,
}

impl Scale {
    /// What was measured, with its bill.
    pub fn new(a_month: f64, measured: Measured, prices: &Prices) -> Result<Self, BenchError> {
        Ok(Scale { a_month, charges: charges(&measured, a_month, prices)?, measured })
    }

    /// Write units of a page view.
    pub fn write_units(&self) -> f64 {
        sum(&self.used().written)
    }

    /// Read units of a page view.
    pub fn read_units(&self) -> f64 {
        sum(&self.used().read)
    }

    /// Bytes that a page view leaves in the table.
    pub fn bytes(&self) -> f64 {
        self.measured.stored.values().sum()
    }

    /// What a page view takes of the table.
    fn used(&self) -> Units {
        let mut used = Units::default();
        used.add(&self.measured.a_page_view.collect, 1.0);
        used.add(&self.measured.a_page_view.rollup, 1.0);
        used
    }
}

/// The tables, as Markdown.
pub fn markdown(scales: &[Scale], prices: &Prices) -> Result<String, BenchError> {
    let mut table = Table::default();
    table.row("a page view of so many a month", scales, |scale| grouped(scale.a_month));
    table.0.push(format!("|---|{}", "---:|".repeat(scales.len())));
    table.row("batches", scales, |scale| format!("{:.2}", scale.measured.a_page_view.batches));
    table.units("write units", scales, |scale| scale.used().written);
    table.row("**write units**", scales, |scale| format!("**{:.2}**", scale.write_units()));
    table.units("read units", scales, |scale| scale.used().read);
    table.row("**read units**", scales, |scale| format!("**{:.2}**", scale.read_units()));
    let stored: BTreeSet<&str> = scales.iter().flat_map(|scale| scale.measured.stored.keys().copied()).collect();
    for kind in stored {
        let bytes = |scale: &Scale| scale.measured.stored.get(kind).copied().unwrap_or_default();
        table.row(&format!("bytes stored: {kind}"), scales, |scale| format!("{:.0}", bytes(scale)));
    }
    table.row("**bytes stored**", scales, |scale| format!("**{:.0}**", scale.bytes()));
    let a_page_view = |scale: &Scale| scale.measured.a_page_view.clone();
    table.row("invocations of `rollup`", scales, |scale| format!("{:.3}", a_page_view(scale).invocations));
    table.row("batches of an invocation", scales, |scale| {
        format!("{:.1}", a_page_view(scale).batches / a_page_view(scale).invocations)
    });
    table.row("billed ms: `collect` (128 MB)", scales, |scale| format!("{:.1}", a_page_view(scale).collect_ms));
    table.row("billed ms: `rollup` (512 MB)", scales, |scale| format!("{:.1}", a_page_view(scale).rollup_ms));
    table.row("log bytes: `collect`", scales, |scale| format!("{:.0}", a_page_view(scale).collect_log));
    table.row("log bytes: `rollup`", scales, |scale| format!("{:.0}", a_page_view(scale).rollup_log));
    table.row("requests for the tracker's files", scales, |scale| format!("{:.2}", a_page_view(scale).files));
    table.row("counted after, in the mean, s", scales, |scale| format!("{:.1}", scale.measured.mean_ms / 1_000.0));
    table.row("99 of 100 counted within, s", scales, |scale| format!("{:.1}", scale.measured.p99_ms as f64 / 1_000.0));
    table.dollars(scales);
    table.months(scales);
    let mut lines =
        vec![format!("US dollars at list prices of us-east-1, {LOOKED_UP} (benchmarks/data/prices.csv).\n")];
    lines.append(&mut table.0);
    lines.push(String::new());
    lines.push("| page views a month | machines | a month |".to_owned());
    lines.push("|---|---|---:|".to_owned());
    for (page_views, machines, keys) in PEERS {
        lines.push(format!("| {page_views} | {machines} | {:.0} |", prices.machines(keys)?));
    }
    Ok(lines.join("\n") + "\n")
}

#[derive(Default)]
struct Table(Vec<String>);

impl Table {
    fn row(&mut self, name: &str, scales: &[Scale], cell: impl Fn(&Scale) -> String) {
        let cells: String = scales.iter().map(|scale| format!(" {} |", cell(scale))).collect();
        self.0.push(format!("| {name} |{cells}"));
    }

    /// A row for each kind that any scale has.
    fn units(&mut self, name: &str, scales: &[Scale], units: impl Fn(&Scale) -> ByKind) {
        let kinds: BTreeSet<&str> = scales.iter().flat_map(|scale| units(scale).into_keys()).collect();
        for kind in kinds {
            self.row(&format!("{name}: {kind}"), scales, |scale| shown(units(scale).get(kind).copied()));
        }
    }

    fn dollars(&mut self, scales: &[Scale]) {
        const PARTS: [(Cause, &str); 4] = [
            (Cause::PageViews, "page views"),
            (Cause::Keeping, "kept for a month"),
            (Cause::Files, "the tracker's files, without a CDN"),
            (Cause::Schedules, "whoever comes"),
        ];
        const ALL: [Cause; 4] = [Cause::PageViews, Cause::Keeping, Cause::Files, Cause::Schedules];
        self.row("**US dollars a million, and shares**", scales, |_| String::new());
        let lines = scales.first().map_or(&[][..], |scale| &scale.charges);
        for (cause, name) in PARTS {
            for (at, charge) in lines.iter().enumerate().filter(|(_, charge)| charge.cause == cause) {
                self.row(&format!("{name}: {}", charge.what), scales, |scale| {
                    let (dollars, all) = (scale.charges[at].dollars, total(&scale.charges, &ALL));
                    format!("{dollars:.2} ({:.0} %)", 100.0 * dollars / all)
                });
            }
            self.row(&format!("**{name}**"), scales, |scale| format!("**{:.2}**", total(&scale.charges, &[cause])));
        }
        self.row("**all of it**", scales, |scale| format!("**{:.2}**", total(&scale.charges, &ALL)));
    }

    fn months(&mut self, scales: &[Scale]) {
        self.row("**US dollars a month**", scales, |_| String::new());
        let of_month = |scale: &Scale, causes: &[Cause]| total(&scale.charges, causes) * scale.a_month / MILLION;
        self.row("page views, and whoever comes", scales, |scale| {
            format!("{:.2}", of_month(scale, &[Cause::PageViews, Cause::Schedules]))
        });
        self.row("the tracker's files, without a CDN", scales, |scale| {
            format!("{:.2}", of_month(scale, &[Cause::Files]))
        });
        self.row("kept and backed up: a month's", scales, |scale| format!("{:.2}", of_month(scale, &[Cause::Keeping])));
        self.row("kept and backed up: a year's", scales, |scale| {
            format!("{:.2}", 12.0 * of_month(scale, &[Cause::Keeping]))
        });
        self.row("metrics of its own, of which ten are free", scales, |scale| scale.measured.metrics.to_string());
    }
}

fn shown(units: Option<f64>) -> String {
    units.filter(|units| *units >= 0.000_5).map_or("–".to_owned(), |units| format!("{units:.3}"))
}

/// `1,000,000`
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
