//! The heads of requests before they are parsed.
//!
//! The HTTP library answers a head that it can't parse by itself, with a status and nothing else, and takes no URI with
//! characters that programs send all the same. So it reads through this: characters that have to be encoded are, as on
//! Lambda, and what it answers by itself gets the envelope of every error.

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use lambda_http::Body;
use lambda_http::http::StatusCode;
use lambda_http::http::header::CONTENT_LENGTH;
use shared::error::ApiError;
use shared::lambda::legal_uri;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at a time.
const CHUNK: usize = 8 << 10;

/// The longest head that is looked at. The library refuses a longer one, or what is wrong in it, as it is.
const MAX_HEAD: usize = 64 << 10;

/// How far a connection's request is: told by what answers it, and read by [`Heads`].
#[derive(Debug, Default)]
pub struct Stage(AtomicU8);

impl Stage {
    /// Nobody has been asked to answer: what is written is the library's own.
    const UNANSWERED: u8 = 0;
    const ANSWERING: u8 = 1;
    /// The answer is there and is being written.
    const ANSWERED: u8 = 2;

    /// A request has come that is being answered.
    pub fn begin_answer(&self) {
        self.0.store(Self::ANSWERING, Ordering::Relaxed);
    }

    /// The answer is there.
    pub fn end_answer(&self) {
        self.0.store(Self::ANSWERED, Ordering::Relaxed);
    }

    fn is_unanswered(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::UNANSWERED
    }

    /// Ends the exchange if its answer is there.
    fn end_exchange(&self) -> bool {
        let (from, to) = (Self::ANSWERED, Self::UNANSWERED);
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A connection whose heads can be parsed, and whose errors are in the envelope.
#[derive(Debug)]
pub struct Heads<S> {
    stream: S,
    stage: Arc<Stage>,
    /// The head of the next request, with what came with it.
    read: Vec<u8>,
    /// Where the head ends.
    end: usize,
    /// How much was handed on.
    handed: usize,
    /// Whether the head is whole, and all that comes is handed on as it is.
    is_whole: bool,
    /// What is written instead of the library's own answer.
    envelope: Option<Vec<u8>>,
    written: usize,
}

impl<S> Heads<S> {
    /// Reads and writes through a stream.
    pub fn new(stream: S, stage: Arc<Stage>) -> Self {
        Heads { stream, stage, read: Vec::new(), end: 0, handed: 0, is_whole: false, envelope: None, written: 0 }
    }

    /// Whether what is written now is the library's own answer to a head that was handed to it.
    fn is_refusing(&self) -> bool {
        self.is_whole && self.stage.is_unanswered()
    }

    /// Hands on the head first, alone: with what comes after it, the library would not answer a head of HTTP/2 at all.
    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let until = if self.handed < self.end { self.end } else { self.read.len() };
        let rest = &self.read[self.handed..until];
        let part = &rest[..rest.len().min(buffer.remaining())];
        buffer.put_slice(part);
        self.handed += part.len();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heads<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.is_whole {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut chunk))?;
            let from = this.read.len().saturating_sub(2);
            this.read.extend_from_slice(chunk.filled());
            if let Some(end) = end_of_head(&this.read, from) {
                this.is_whole = true;
                this.end = end + make_legal(&mut this.read);
            } else {
                // One that is cut off, too long or of another protocol is for the library to judge.
                let is_text = this.read.first().is_none_or(u8::is_ascii_graphic) || this.read[0].is_ascii_whitespace();
                this.is_whole = chunk.filled().is_empty() || this.read.len() > MAX_HEAD || !is_text;
            }
        }
        if this.handed < this.read.len() {
            this.hand_on(buffer);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heads<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.is_refusing() {
            return Pin::new(&mut this.stream).poll_write(cx, bytes);
        }
        let envelope = this.envelope.get_or_insert_with(|| in_envelope(bytes));
        while this.written < envelope.len() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &envelope[this.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.written += written;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusing() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(cx, first.map_or(&[], |slice| slice));
        }
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        if this.stage.end_exchange() {
            this.read.clear();
            (this.end, this.handed, this.is_whole) = (0, 0, false);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Where the first head ends in what was read, if it does after a position: with an empty line.
fn end_of_head(read: &[u8], from: usize) -> Option<usize> {
    let ends = |at: usize| {
        let next = &read[at + 1..];
        [&b"\n"[..], b"\r\n"].into_iter().find(|line| next.starts_with(line)).map(|line| at + 1 + line.len())
    };
    (from..read.len()).filter(|at| read[*at] == b'\n').find_map(ends)
}

/// Encodes what must not be in a request's URI, and gives by how much that grew.
fn make_legal(head: &mut Vec<u8>) -> usize {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(start) = line.iter().position(|byte| *byte == b' ').map(|at| at + 1) else { return 0 };
    let Some(end) = line.windows(VERSION.len()).rposition(|bytes| bytes == VERSION) else { return 0 };
    let Some(Cow::Owned(legal)) = line.get(start..end).map(legal_uri) else { return 0 };
    let grown = legal.len() - (end - start);
    head.splice(start..end, legal.into_bytes());
    grown
}

/// What follows a request's URI.
const VERSION: &[u8] = b" HTTP/";

/// The library's answer to a head that it can't parse, with the envelope for a body.
fn in_envelope(answer: &[u8]) -> Vec<u8> {
    let answer = String::from_utf8_lossy(answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let error = match status.map(StatusCode::from_u16) {
        Some(Ok(StatusCode::URI_TOO_LONG)) => ApiError::UriTooLong,
        Some(Ok(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)) => ApiError::HeadersTooLarge,
        _ => ApiError::InvalidRequest,
    };
    let (parts, body) = error.into_response().into_parts();
    let body = if let Body::Text(body) = body { body } else { String::new() };
    let own = |line: &&str| {
        !line.is_empty()
            && !line.split(':').next().is_some_and(|name| CONTENT_LENGTH.as_str().eq_ignore_ascii_case(name))
    };
    let mut lines: Vec<Cow<'_, str>> = answer.split("\r\n").filter(own).map(Cow::Borrowed).collect();
    lines.push(format!("{CONTENT_LENGTH}: {}", body.len()).into());
    for (name, value) in &parts.headers {
        lines.push(format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())).into());
    }
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_encoded_and_nothing_else() {
        let legal = |head: &str| {
            let mut bytes = head.as_bytes().to_vec();
            make_legal(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let rest = "HTTP/1.1\r\nHost: a\r\nReferer: \"<>\"\r\n\r\n{\"a b HTTP/\"}";
        for (uri, expected) in [
            ("/", "/"),
            ("/a?b=%22c%22&d=e+f", "/a?b=%22c%22&d=e+f"),
            ("/a?b=\"c d\"", "/a?b=%22c%20d%22"),
            ("/a?<b>\t\r\u{7f}#c", "/a?%3Cb%3E%09%0D%7F%23c"),
            ("/a?b=HTTP/1.1 HTTP/", "/a?b=HTTP/1.1%20HTTP/"),
            ("/é", "/%C3%A9"),
        ] {
            assert_eq!(legal(&format!("GET {uri} {rest}")), format!("GET {expected} {rest}"));
        }
        for other in ["", "\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET HTTP/1.1\r\n\r\n", " HTTP/1.1\r\n\r\n"] {
            assert_eq!(legal(other), other);
        }
    }
}
