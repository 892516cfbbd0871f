//! What in the simulation of a month could be wrong without anybody noticing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use benchmarks::bill::charges::{Cause, charges, total};
use benchmarks::bill::lambda::{DEPLOYED, Instances, Record, Stream};
use benchmarks::bill::mix::{Mix, People, RETURNING};
use benchmarks::bill::prices::Prices;
use benchmarks::bill::rhythm::{BEGINS, DAYS, Rhythm};
use benchmarks::bill::simulation::{MAX_DAILY_UNITS, Measured, Plan, Usage};
use benchmarks::ledger::Units;
use fastrand::Rng;
use figures::time::{DAY_MS, Millis};
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_month_has_as_many_arrivals_as_it_should() {
    let rhythm = Rhythm::of_month(200_000.0);
    let hours: f64 = (0..DAYS * 24).map(|hour| rhythm.an_hour(BEGINS.plus(hour * HOUR_MS))).sum();
    assert!((hours - 200_000.0).abs() < 1e-6, "{hours}");
    let month = rhythm.between(BEGINS, BEGINS.plus(DAYS * DAY_MS));
    let (half, rest) = (BEGINS.plus(HOUR_MS / 2), BEGINS.plus(5 * HOUR_MS / 2));
    assert!((month - 200_000.0).abs() < 1e-6, "{month}");
    assert!((rhythm.between(half, rest) - 2.0 * rhythm.an_hour(BEGINS)).abs() < 1e-6);
    let arrivals = rhythm.arrivals(&mut Rng::with_seed(7), BEGINS, BEGINS.plus(DAYS * DAY_MS), 1.0);
    // A Poisson process deviates by the square root: four of them are one in 16,000.
    assert!((arrivals.len() as f64 - 200_000.0).abs() < 4.0 * 200_000.0_f64.sqrt(), "{}", arrivals.len());
    assert!(arrivals.is_sorted());
    let of_hour = |hour: i64| {
        let from = BEGINS.plus(hour * HOUR_MS);
        let after = arrivals.partition_point(|at| *at < from.plus(HOUR_MS));
        (after - arrivals.partition_point(|at| *at < from)) as f64
    };
    for hour in 0..48 {
        let expected = rhythm.an_hour(BEGINS.plus(hour * HOUR_MS));
        assert!((of_hour(hour) - expected).abs() < 5.0 * expected.sqrt(), "{hour}: {} of {expected}", of_hour(hour));
    }
    let thinned = rhythm.arrivals(&mut Rng::with_seed(7), BEGINS, BEGINS.plus(DAYS * DAY_MS), 0.1);
    assert!((thinned.len() as f64 - 20_000.0).abs() < 4.0 * 20_000.0_f64.sqrt(), "{}", thinned.len());
}

#[test]
fn the_parts_of_a_month_stand_for_all_of_it() {
    for (page_views, parts) in [(100_000.0, 2), (1_000_000.0, 12), (10_000_000.0, 12), (100_000_000.0, 12)] {
        let plan = Plan::of(page_views, 16_000.0, 100, 1);
        assert_eq!(plan.windows.len(), parts);
        let shares: f64 = plan.windows.iter().map(|window| window.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
        assert!(plan.windows.is_sorted_by_key(|window| window.begins));
        let ends = plan.windows.last().map(|window| window.ends);
        assert!(ends.unwrap() <= BEGINS.plus(DAYS * DAY_MS));
    }
    // Page views see a busier site than the clock does. The parts do as the month: the rate that a page view meets.
    let rhythm = Rhythm::of_month(1_000_000.0);
    let hours: Vec<f64> = (0..DAYS * 24).map(|hour| rhythm.an_hour(BEGINS.plus(hour * HOUR_MS))).collect();
    let met = hours.iter().map(|rate| rate * rate).sum::<f64>() / hours.iter().sum::<f64>();
    let parts = rhythm.windows(12, HOUR_MS);
    let of_parts: f64 = parts.iter().map(|window| window.share * rhythm.an_hour(window.begins)).sum();
    assert!((of_parts / met - 1.0).abs() < 0.02, "{of_parts} and {met}");
}

#[test]
fn a_visit_has_three_page_views_in_the_mean() {
    let mix = Mix::recorded().unwrap();
    assert!((mix.shares() - 1.0).abs() < 1e-9);
    assert!((mix.page_views_a_visit() - 3.0).abs() < 1e-9, "{}", mix.page_views_a_visit());
    let mut rng = Rng::with_seed(1);
    let mut people = People::new(&mut rng);
    let visits: Vec<_> = (0..3_000)
        .map(|visitor| {
            let kind = mix.kind(people.next_kind()).unwrap();
            let visit = mix.visit(&mut rng, kind, visitor, BEGINS, "pk_live_0");
            assert_eq!(visit.last().map(|last| last.at), Some(kind.ends(BEGINS)));
            visit
        })
        .collect();
    let page_views: usize = visits.iter().flatten().map(|sent| sent.page_views).sum();
    let batches: usize = visits.iter().map(Vec::len).sum();
    let (page_views, batches) = (page_views as f64 / 3_000.0, batches as f64 / 3_000.0);
    assert!((page_views - mix.page_views_a_visit()).abs() < 0.05, "{page_views}");
    assert!((batches - mix.batches_a_visit()).abs() < 0.05, "{batches}");
    assert!(visits.iter().flatten().all(|sent| sent.at > BEGINS && sent.at < BEGINS.plus(280_000)));
}

#[test]
fn some_come_again() {
    let mut rng = Rng::with_seed(1);
    let mut people = People::new(&mut rng);
    let rhythm = Rhythm::of_month(20_000.0);
    let visits = rhythm.arrivals(&mut Rng::with_seed(1), BEGINS, BEGINS.plus(DAYS * DAY_MS), 1.0);
    let away: Vec<Option<i64>> = visits.iter().map(|at| people.next(&mut rng, *at).away_ms).collect();
    let returning = away.iter().flatten().count() as f64 / visits.len() as f64;
    assert!((returning - RETURNING).abs() < 0.03, "{returning}");
    assert!(away.iter().flatten().all(|away| *away >= 30 * 60_000));
}

/// A parameter's default in the template.
fn default_of(parameter: &str) -> i64 {
    const TEMPLATE: &str = include_str!("../../template.yaml");
    let of_parameter = TEMPLATE.split_once(&format!("\n  {parameter}:\n")).unwrap().1;
    let default = of_parameter.split_once("Default: ").unwrap().1;
    default.lines().next().unwrap().parse().unwrap()
}

#[test]
fn records_come_as_the_template_asks_for() {
    assert_eq!(DEPLOYED.window_ms, default_of("RollupWindowSeconds") * 1_000);
    assert_eq!(DEPLOYED.parallelization as i64, default_of("RollupParallelization"));
    assert_eq!(MAX_DAILY_UNITS as i64, default_of("MaxDailyUnits"));
    let batch_size = format!("\n            BatchSize: {}\n", DEPLOYED.batch_size);
    assert!(include_str!("../../template.yaml").contains(&batch_size));
}

fn record(partition: &str, at: i64) -> Record {
    Record { stored_at: Millis(at), item: json!({ "PK": { "S": partition } }), page_views: 1 }
}

#[test]
fn records_are_gathered_for_a_window_or_until_they_are_many() {
    let mut stream = Stream::new(DEPLOYED);
    assert_eq!(stream.due(), None);
    stream.push(record("P#a#V#1", 0));
    stream.push(record("P#a#V#1", 4_900));
    stream.push(record("P#a#V#1", 5_100));
    let (due, lane) = stream.due().unwrap();
    assert_eq!(due, Millis(5_250), "found after a quarter of a second, and gathered for five");
    assert_eq!(stream.take(lane, due).len(), 2, "the third one is not found yet");
    stream.keep_busy(lane, Millis(20_000));
    assert_eq!(stream.due(), Some((Millis(20_000), lane)), "a lane waits for its invocation");
    for at in 0..150 {
        stream.push(record("P#a#V#1", 21_000 + at));
    }
    assert_eq!(stream.take(lane, Millis(30_000)).len(), DEPLOYED.batch_size);
    let lanes: std::collections::BTreeSet<usize> = (0..200)
        .map(|visitor| {
            let mut stream = Stream::new(DEPLOYED);
            stream.push(record(&format!("P#a#V#{visitor}"), 0));
            stream.due().unwrap().1
        })
        .collect();
    assert_eq!(lanes.len() as u64, DEPLOYED.shards * DEPLOYED.parallelization, "visitors are spread over all lanes");
}

#[test]
fn a_full_lane_does_not_wait_for_its_window() {
    let mut stream = Stream::new(DEPLOYED);
    (0..DEPLOYED.batch_size as i64).for_each(|at| stream.push(record("P#a#V#1", at)));
    assert_eq!(stream.due().map(|(due, _)| due), Some(Millis(99 + 250)));
}

#[test]
fn the_instance_that_was_called_last_is_called_again() {
    let mut instances = Instances::default();
    assert_eq!(instances.take(Millis(0)), None);
    instances.give_back('a', Millis(10));
    instances.give_back('b', Millis(20));
    assert_eq!(instances.take(Millis(5)), None, "both are busy");
    assert_eq!(instances.take(Millis(30)), Some('b'));
    assert_eq!(instances.take(Millis(700_000)), None, "nobody called the other one for ten minutes");
}

#[test]
fn the_bill_is_what_one_computes_by_hand() {
    let units = |written: f64, read: f64| Units {
        written: BTreeMap::from([("batch", written)]),
        read: BTreeMap::from([("batch", read)]),
    };
    let measured = Measured {
        a_page_view: Usage {
            page_views: 1.0,
            batches: 2.0,
            files: 0.5,
            collect: units(2.0, 1.0),
            rollup: units(5.0, 3.0),
            invocations: 0.25,
            collect_ms: 20.0,
            rollup_ms: 50.0,
            collect_log: 1_000.0,
            rollup_log: 200.0,
        },
        page_views: 1_000.0,
        mean_ms: 3_000.0,
        p99_ms: 6_000,
        look: units(1.0, 1.0),
        stored: BTreeMap::from([("batch", 1_500.0), ("run", 500.0)]),
        metrics: 8,
    };
    let prices = Prices::listed().unwrap();
    let charges = charges(&measured, 1_000_000.0, &prices).unwrap();
    let of = |what: &str| charges.iter().find(|charge| charge.what == what).map(|charge| charge.dollars).unwrap();
    let near = |dollars: f64, by_hand: f64| assert!((dollars - by_hand).abs() < 0.005, "{dollars}, not {by_hand}");
    // 7 million units at 0.625, and 4 million at 0.125.
    near(of("write units"), 4.375);
    near(of("read units"), 0.5);
    near(of("gateway"), 2.0);
    // 2 million × 0.020 s × 0.125 GB are 2,500 GB-s for each 20 ms; 50 ms of 0.5 GB are 25,000 GB-s.
    near(of("`collect`, GB-seconds"), 0.0333);
    near(of("`rollup`, GB-seconds"), 0.3333);
    near(of("`rollup`, invocations"), 0.05);
    // Two kilobytes a page view are 2 GB.
    near(of("stored for a month"), 0.5);
    near(of("backed up for a month"), 0.4);
    // 8,640 looks of half a GB-second each, and 30 more.
    near(of("`reconcile`, GB-seconds"), 0.0578);
    let sum: f64 = charges.iter().map(|charge| charge.dollars).sum();
    near(total(&charges, &[Cause::PageViews, Cause::Keeping, Cause::Files, Cause::Schedules]), sum);
    near(prices.machines(&["t4g.small", "db.t4g.small"]).unwrap(), 35.62);
}
