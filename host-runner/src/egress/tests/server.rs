//! A server that speaks just enough HTTP, one scripted answer per request, and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What one request is met with.
#[derive(Clone)]
pub(super) enum Answer {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then nothing more, with the connection open.
    Stall(Vec<u8>),
    /// The connection is closed without a word.
    HangUp,
}

impl Answer {
    pub(super) fn status(status: u16) -> Self {
        Answer::with(status, &[], b"")
    }

    pub(super) fn with(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut bytes = format!(
            "HTTP/1.1 {status} Word\r\nContent-Length: {}\r\nConnection: close\r\n",
            body.len()
        );
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(body);
        Answer::Bytes(bytes)
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The request line and the header lines.
    pub(super) head: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    /// All values of a header.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self
            .head
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The value of a header that stands there once.
    pub(super) fn header(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [value] => value,
            ref other => panic!("{name}: {other:?}"),
        }
    }
}

/// A server on loopback. The last answer of its script is repeated.
pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Server::start_with(script, None).await
    }

    pub(super) async fn start_with(
        script: impl IntoIterator<Item = Answer>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let record = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, record, tls) = (script.clone(), record.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &script, &record).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &script, &record).await;
                            }
                        }
                    }
                });
            }
        });
        Server {
            address,
            seen,
            task,
        }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: &Mutex<VecDeque<Answer>>,
    record: &Mutex<Vec<Seen>>,
) {
    let Some(seen) = read_request(&mut stream).await else {
        return;
    };
    record.lock().unwrap().push(seen);
    let answer = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 {
            script.pop_front()
        } else {
            script.front().cloned()
        }
    };
    match answer {
        Some(Answer::Bytes(bytes)) => {
            // The client may have seen enough and gone.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Some(Answer::Stall(bytes)) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            // Until the client goes.
            let _ = stream.read(&mut [0]).await;
        }
        Some(Answer::HangUp) | None => {}
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head: Vec<String> = String::from_utf8_lossy(&bytes[..end])
        .split("\r\n")
        .map(str::to_owned)
        .collect();
    let mut body = bytes.split_off(end + 4);
    let seen = Seen {
        head,
        body: Vec::new(),
    };
    let length: usize = seen
        .all("content-length")
        .first()
        .map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { body, ..seen })
}
