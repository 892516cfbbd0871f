//! The examples of the documentation run as they stand, but for the host.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tests::check::differences;
use tests::clock::now;
use tests::example::page_view;
use tests::http::get;
use tests::oracle::Answer;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::Tracker;

/// The host that the documentation's examples ask.
const DOCUMENTED_HOST: &str = "https://www.identity-js.com";

/// An example's file, asking a stack.
fn example(stack: &Stack, folder: &Path, name: &str) -> PathBuf {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap();
    assert!(text.contains(DOCUMENTED_HOST));
    let file = folder.join(name);
    std::fs::write(&file, text.replace(DOCUMENTED_HOST, &stack.origin())).unwrap();
    file
}

/// Runs a program with a key in its environment; nothing if the machine lacks the program.
async fn run(mut command: Command, key: &str) -> Option<Output> {
    command.env("IDENTITY_API_KEY", key);
    let program = command.get_program().to_string_lossy().into_owned();
    match tokio::task::spawn_blocking(move || command.output()).await.unwrap() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skipped(&format!("{program} is not on this machine"));
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Says so past the test harness, which hides what passing tests print.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("\n!!! SKIPPED: {why}.\n\n").as_bytes()).unwrap();
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Whether a shell finds a program.
fn has(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success()
}

/// A stack with three visitors, the first one of whom is frustrated.
async fn with_visitors() -> (Stack, Project) {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let mut stored: Vec<Sent> = Vec::new();
    for number in 1..=3 {
        let mut sent = page_view(&format!("v_{number}"), &format!("ses_{number}"), "b_1", now());
        if number == 1 {
            let click = Event { name: "rage_click".to_owned(), url: None, created_at: now(), data: None };
            sent.events.extend(vec![click; 8]);
        }
        stored.push(Tracker::default().send(&stack, &project, sent).await.unwrap());
    }
    stack.counted(&project.id, &stored).await;
    (stack, project)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_example_prints_the_figures() {
    for program in ["curl", "jq"] {
        if !has(program) {
            return skipped(&format!("{program} is not on this machine"));
        }
    }
    let (stack, project) = with_visitors().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.arg(example(&stack, folder.path(), "stats.sh"));
    if let Some(output) = run(command, &project.secret_key).await {
        let printed: Value = serde_json::from_str(&succeeded(&output)).unwrap();
        let answer = get(&stack.at("stats?start_date=2025-06-01"), &project.secret_key).await.ok();
        // jq writes 1.0 as 1.
        let answers = [&printed, &answer].map(|body| Answer { status: 200, body: body.clone() });
        assert_eq!(differences(&answers[0], &answers[1]), [""; 0]);
        assert_eq!(printed["data"]["total_visitors"], 3);
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_example_counts_visitors() {
    let (stack, project) = with_visitors().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("node");
    command.arg(example(&stack, folder.path(), "visitors.mjs"));
    if let Some(output) = run(command, &project.secret_key).await {
        assert_eq!(succeeded(&output), "Found 3 visitors\n");
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_names_the_frustrated() {
    let Some(python) = python_with_requests().await else { return };
    let (stack, project) = with_visitors().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    command.arg(example(&stack, folder.path(), "frustration.py"));
    if let Some(output) = run(command, &project.secret_key).await {
        assert_eq!(succeeded(&output), "Frustrated: v_1 (score: 80)\n");
    }
    stack.shutdown().await;
}

/// Python in a virtual environment with the one package that the example imports.
async fn python_with_requests() -> Option<PathBuf> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = environment.join("bin/python");
    let mut import = Command::new(&python);
    import.args(["-c", "import requests"]);
    if import.output().is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(&environment);
    succeeded(&run(create, "").await?);
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "requests"]);
    let installed = run(install, "").await?;
    if !installed.status.success() {
        skipped("the Python package requests can't be installed");
        return None;
    }
    Some(python)
}
