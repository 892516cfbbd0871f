//! The real binary, started and asked.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Far more than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `identity dev`.
pub struct Dev {
    child: Child,
    pub printed: Vec<String>,
    pub base: String,
    pub endpoint: String,
    pub secret: String,
    pub public: String,
}

impl Dev {
    /// Starts it on free ports, with a secret key that can be used often unless told otherwise.
    pub fn start(arguments: &[&str]) -> Self {
        let often = if arguments.contains(&"--rate-limit") { &[][..] } else { &["--rate-limit", "60000"] };
        let mut child = command(&["dev", "--port", "0", "--dynamodb-port", "0"])
            .args(arguments)
            .args(often)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut printed = Vec::new();
        while !printed.last().is_some_and(|line: &String| line.contains("identity import")) {
            printed.push(lines.next().expect("dev ended before it had started"));
        }
        let value = |label: &str| {
            let line = printed.iter().find_map(|line| line.strip_prefix(label)).unwrap();
            line.trim().to_owned()
        };
        let (base, endpoint) = (value("Base URL"), value("DynamoDB"));
        let (secret, public) = (value("Secret key"), value("Public key"));
        Dev { child, printed, base, endpoint, secret, public }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it the way a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal and gives the exit status.
    pub fn signal(mut self, name: &str) -> Option<i32> {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    /// Asks the API.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = get(&self.base, path, &self.secret).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Runs another command on its table.
    pub fn run(&self, arguments: &[&str]) -> Output {
        command(arguments).args(["--endpoint-url", &self.endpoint]).output().unwrap()
    }

    /// Sends a body to the collector.
    pub async fn collect(&self, body: &Value) -> reqwest::Result<u16> {
        let url = format!("{}/collect", self.base);
        let sent = browser().post(url).body(body.to_string()).send().await?;
        Ok(sent.status().as_u16())
    }

    /// Asks until an answer is as expected.
    pub async fn eventually(&self, path: &str, expected: impl Fn(&Value) -> bool) -> Value {
        let mut answer = Value::Null;
        for _ in 0..PATIENCE.as_millis() / 100 {
            answer = self.get(path).await;
            if expected(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} stayed {answer}")
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command line of `identity` without what the test's own environment would add.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_identity"));
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs a command with standard input.
pub fn run_with_input(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses what it is given may end before it has read all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_ref());
    child.wait_with_output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts an exit status, and shows what was said if it is another.
pub fn assert_status(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}{}", stdout(output), stderr(output));
}

/// A client that no one takes for a bot.
pub fn browser() -> reqwest::Client {
    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/126.0.0.0 Safari/537.36";
    reqwest::Client::builder().user_agent(CHROME).build().unwrap()
}

pub async fn get(base: &str, path: &str, key: &str) -> (u16, Value) {
    let response = browser().get(format!("{base}/api/v1{path}")).bearer_auth(key).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A batch of two page views, one of some sessions of some visitors.
pub fn batch(number: i64, at: i64) -> Value {
    let page_view = |at: i64, url: &str| json!({ "name": "page_view", "created_at": at, "data": { "url": url } });
    json!({
        "batch_id": format!("b{number}"),
        "sent_at": at,
        "visitor": { "visitor_id": format!("v{}", number % 40) },
        "session": { "session_id": format!("s{}", number % 80), "started_at": at - 1000, "url": "/" },
        "events": [page_view(at - 1000, "/"), page_view(at, "/pricing")],
    })
}

/// A file of such batches, a minute apart.
pub fn write_batches(file: &Path, count: i64) {
    let start = now() - 20 * 86_400_000;
    let lines: Vec<_> = (0..count).map(|number| batch(number, start + number * 60_000).to_string()).collect();
    std::fs::write(file, lines.join("\n")).unwrap();
}
