//! A client with one connection and an address of its own. It does as little as can be, for it shares the machine with the
//! server that is measured.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

use crate::BenchError;

/// What a client sends.
pub type Body = Full<Bytes>;

/// A client.
#[derive(Debug)]
pub struct Client {
    server: SocketAddr,
    host: HeaderValue,
    address: IpAddr,
    connection: Option<SendRequest<Body>>,
}

impl Client {
    /// The client of this number, whose address the collector's throttle takes for another visitor's.
    pub fn new(base_url: &str, number: u16) -> Result<Self, BenchError> {
        let failed = |_| BenchError::Failed(format!("{base_url:?} is no server's address"));
        let host = base_url.trim_start_matches("http://");
        let server = host.parse().map_err(|_| failed(()))?;
        let host = HeaderValue::from_str(host).map_err(|_| failed(()))?;
        let [high, low] = (number + 1).to_be_bytes();
        Ok(Client { server, host, address: Ipv4Addr::new(127, 1, high, low).into(), connection: None })
    }

    /// Sends a request and reads the answer, of which the status matters. After an error it connects again.
    pub async fn ask(&mut self, mut request: Request<Body>) -> Result<u16, BenchError> {
        request.headers_mut().insert(header::HOST, self.host.clone());
        let mut connection = match self.connection.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => self.connect().await?,
        };
        connection.ready().await.map_err(unanswered)?;
        let answer = connection.send_request(request).await.map_err(unanswered)?;
        let status = answer.status().as_u16();
        answer.into_body().collect().await.map_err(unanswered)?;
        self.connection = Some(connection);
        Ok(status)
    }

    async fn connect(&self) -> Result<SendRequest<Body>, BenchError> {
        let socket = TcpSocket::new_v4().map_err(unanswered)?;
        socket.bind(SocketAddr::new(self.address, 0)).map_err(unanswered)?;
        let stream = socket.connect(self.server).await.map_err(unanswered)?;
        stream.set_nodelay(true).map_err(unanswered)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unanswered)?;
        // It ends with an error of a request, which its sender reports.
        tokio::spawn(connection);
        Ok(requests)
    }
}

fn unanswered(error: impl std::error::Error) -> BenchError {
    BenchError::Failed(error.to_string())
}
