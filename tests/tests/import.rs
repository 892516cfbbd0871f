//! `identity import`: what a file holds is what the API answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::PathBuf;

use fastrand::Rng;
use identity::args::{ImportArguments, TableArguments, Target};
use identity::import;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tests::clock::now;
use tests::generate::history;
use tests::oracle::Oracle;
use tests::sent::Sent;
use tests::stack::{Counting, Project, Stack};

const BATCHES: usize = 2_000;

/// Batches of many visitors: histories one after the other, each with ids of its own.
fn batches() -> Vec<Sent> {
    let mut runner = TestRunner::deterministic();
    let mut batches = Vec::new();
    for group in 0.. {
        let told = history(100).new_tree(&mut runner).unwrap().current().told(now());
        for (project, mut sent) in told {
            sent.visitor.visitor_id = format!("{}_{group}-{project}", sent.visitor.visitor_id);
            sent.session.session_id = format!("{}_{group}-{project}", sent.session.session_id);
            batches.push(sent);
            if batches.len() == BATCHES {
                return batches;
            }
        }
    }
    batches
}

fn arguments(stack: &Stack, project: &Project, file: PathBuf) -> ImportArguments {
    let target = Target {
        table: TableArguments { endpoint_url: Some(stack.endpoint_url()), table: stack.store().table().to_owned() },
        project: project.id.clone(),
    };
    ImportArguments { file, from: None, params: Vec::new(), no_wait: false, target }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_all_kinds_reads_back_on_every_page() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let (mut oracle, mut text) = (Oracle::default(), String::new());
    let mut stored = 0;
    for sent in batches() {
        writeln!(text, "{}", serde_json::to_string(&sent).unwrap()).unwrap();
        stored += u64::from(oracle.store(sent));
    }
    // What is no batch is refused, and the rest goes on.
    text.insert_str(0, "not a batch\n{}\n\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batches.jsonl");
    std::fs::write(&file, text).unwrap();

    let (lines, refused) = (BATCHES as u64 + 2, 2);
    let summary = import::run(stack.store(), &arguments(&stack, &project, file.clone())).await.unwrap();
    assert_eq!((summary.lines, summary.stored, summary.refused), (lines, stored, refused), "{summary:?}");
    // It returned, so everything is counted already.
    let api = stack.api(&project);
    api.compare_all(&mut oracle, &mut Rng::with_seed(1)).await.unwrap();

    let again = import::run(stack.store(), &arguments(&stack, &project, file)).await.unwrap();
    assert_eq!((again.stored, again.refused), (0, refused), "a second run changes nothing: {again:?}");
    api.compare_briefly(&mut oracle).await.unwrap();
    stack.shutdown().await;
}
