//! The bill: what was measured, times prices.

use serde::Serialize;

use crate::BenchError;
use crate::bill::prices::Prices;
use crate::bill::rhythm::DAYS;
use crate::bill::simulation::Measured;
use crate::ledger::ByKind;

/// Page views that the bill is of.
pub const MILLION: f64 = 1_000_000.0;
const GB: f64 = 1_000_000_000.0;

/// Memory of `collect` and `tracker`, and of `rollup` and `reconcile`, in GB.
const SMALL_GB: f64 = 0.125;
const LARGE_GB: f64 = 0.5;

/// Bytes of an answer to a batch, with its headers. Counted by hand.
const ANSWER_BYTES: f64 = 400.0;
/// Bytes of one of the tracker's two files as brotli, with its headers: `tracker/dist` has 7.7 and 6.4 KB.
const FILE_BYTES: f64 = 7_500.0;
/// What `tracker` takes for one, in ms: an assumption.
const FILE_MS: f64 = 3.0;
/// Bytes of the line that it logs for those of a minute; and the minutes of a month. Counted by hand.
const FILES_LINE_BYTES: f64 = 400.0;
const MINUTES: f64 = (DAYS * 24 * 60) as f64;

/// What a look of `reconcile` at the queue takes, in ms: it waits for a second, so that all of SQS's servers are asked.
const LOOK_MS: f64 = 1_000.0;
/// Looks at the queue a month, every 5 minutes, and at the table.
const QUEUE_LOOKS: f64 = (DAYS * 24 * 12) as f64;
const TABLE_LOOKS: f64 = DAYS as f64;
/// Bytes that a look logs: about as many as a line of `rollup`.
const LOOK_LOG_BYTES: f64 = 1_000.0;

/// What is charged for, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Cause {
    /// Page views: their batches, and what follows from them.
    PageViews,
    /// Keeping what they left for a month, and a backup of it.
    Keeping,
    /// Browsers that ask for the tracker's files, without a CDN.
    Files,
    /// What goes on whoever comes.
    Schedules,
}

/// A line of the bill.
#[derive(Debug, Clone, Serialize)]
pub struct Charge {
    /// What is charged for.
    pub what: &'static str,
    /// Why.
    pub cause: Cause,
    /// US dollars for a million page views.
    pub dollars: f64,
}

/// What a million page views cost, where there are so many a month.
pub fn charges(measured: &Measured, a_month: f64, prices: &Prices) -> Result<Vec<Charge>, BenchError> {
    let Measured { a_page_view: used, stored, look, .. } = measured;
    let (batches, files, invocations) = (used.batches, used.files, used.invocations);
    // What a month has, for each of its page views.
    let (queue_looks, table_looks) = (QUEUE_LOOKS / a_month, TABLE_LOOKS / a_month);
    let looks = queue_looks + table_looks;
    let bytes: f64 = stored.values().sum();
    let logged = used.collect_log + used.rollup_log;
    // A line, and the next one with the first request that comes more than a minute later.
    let of_files = files * FILES_LINE_BYTES / (1.0 + files * a_month / MINUTES);
    let a_million = |key: &str, many: f64| Ok::<f64, BenchError>(prices.of(key)? * many);
    let gb = |key: &str, bytes: f64| Ok::<f64, BenchError>(prices.of(key)? * bytes * MILLION / GB);
    let computed = |gb: f64, ms: f64| Ok::<f64, BenchError>(prices.of("gb_seconds")? * gb * ms / 1_000.0 * MILLION);
    let charge = |what, cause, dollars| Charge { what, cause, dollars };
    Ok(vec![
        charge(
            "write units",
            Cause::PageViews,
            a_million("write_units", sum(&used.collect.written) + sum(&used.rollup.written))?,
        ),
        charge(
            "read units",
            Cause::PageViews,
            a_million("read_units", sum(&used.collect.read) + sum(&used.rollup.read))?,
        ),
        charge("gateway", Cause::PageViews, a_million("requests", batches)?),
        charge("`collect`, invocations", Cause::PageViews, a_million("invocations", batches)?),
        charge("`collect`, GB-seconds", Cause::PageViews, computed(SMALL_GB, used.collect_ms)?),
        charge("`rollup`, invocations", Cause::PageViews, a_million("invocations", invocations)?),
        charge("`rollup`, GB-seconds", Cause::PageViews, computed(LARGE_GB, used.rollup_ms)?),
        charge("log lines, and kept for 30 days", Cause::PageViews, gb("logs", logged)? + gb("logs_kept", logged)?),
        charge("answers to batches, sent out", Cause::PageViews, gb("data_out", batches * ANSWER_BYTES)?),
        charge("stored for a month", Cause::Keeping, gb("stored", bytes)?),
        charge("backed up for a month", Cause::Keeping, gb("backed_up", bytes)?),
        charge(
            "gateway and invocations",
            Cause::Files,
            a_million("requests", files)? + a_million("invocations", files)?,
        ),
        charge("GB-seconds", Cause::Files, computed(SMALL_GB, files * FILE_MS)?),
        charge("log lines", Cause::Files, gb("logs", of_files)? + gb("logs_kept", of_files)?),
        charge("sent out", Cause::Files, gb("data_out", files * FILE_BYTES)?),
        charge(
            "`reconcile`: calls, invocations, the queue",
            Cause::Schedules,
            a_million("schedules", looks)? + a_million("invocations", looks)? + a_million("queue", looks)?,
        ),
        charge("`reconcile`, GB-seconds", Cause::Schedules, computed(LARGE_GB, looks * LOOK_MS)?),
        charge(
            "`reconcile`, the table and log lines",
            Cause::Schedules,
            a_million("write_units", table_looks * sum(&look.written))?
                + a_million("read_units", table_looks * sum(&look.read))?
                + gb("logs", looks * LOOK_LOG_BYTES)?,
        ),
    ])
}

/// The dollars of some causes.
pub fn total(charges: &[Charge], causes: &[Cause]) -> f64 {
    charges.iter().filter(|charge| causes.contains(&charge.cause)).map(|charge| charge.dollars).sum()
}

/// The units of all kinds.
pub fn sum(units: &ByKind) -> f64 {
    units.values().sum()
}
