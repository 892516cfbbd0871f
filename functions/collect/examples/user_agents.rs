//! What the collector makes of user agents, one a line on standard input: for `scripts/user-agent-rates`.
//!
//! A line of tab-separated columns for each: bot's score, browser, version, system, mobile; `-` for what is not known.

use std::io::{self, BufRead, BufWriter, Write};

use collect::user_agent::UserAgents;
use lambda_http::http::{HeaderMap, HeaderValue, header};

fn main() -> io::Result<()> {
    let agents = UserAgents::new();
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let value = HeaderValue::from_bytes(&line?).map_err(io::Error::other)?;
        let client = agents.describe(&HeaderMap::from_iter([(header::USER_AGENT, value)]));
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let mobile = or_none(client.mobile.map(|mobile| mobile.to_string()));
        let [name, version, os] = [client.browser_name, client.browser_version, client.os].map(or_none);
        writeln!(out, "{}\t{name}\t{version}\t{os}\t{mobile}", client.bot_score)?;
    }
    out.flush()
}
