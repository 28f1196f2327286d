//! A server for the hostile component to talk to: too much, too slow, too tightly packed, and elsewhere.

use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Listens on loopback until it is dropped.
pub struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let heads = Arc::clone(&heads);
                // A client that goes away is what most of these attacks end in.
                tokio::spawn(async move {
                    let _ = serve(stream, &heads).await;
                });
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests that came here.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(head);
    match path.as_str() {
        "/giant" => {
            start(&mut stream, "").await?;
            endless(&mut stream, &[b' '; 64 << 10], Duration::ZERO).await
        }
        "/trickle" => {
            start(&mut stream, "").await?;
            endless(&mut stream, b" ", Duration::from_millis(20)).await
        }
        "/bomb" => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                bomb().len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(bomb()).await
        }
        "/headers" => {
            let large = format!("x-large: {}\r\n", "x".repeat(100 << 10));
            start(&mut stream, &large).await
        }
        "/redirect" => {
            let head = format!(
                "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: http://{}/stolen\r\ncontent-length: 0\r\n\r\n",
                stream.local_addr()?
            );
            stream.write_all(head.as_bytes()).await
        }
        // The request is taken, and never answered.
        "/silent" => std::future::pending().await,
        // An answer begins, and does not go on.
        "/slow" => {
            start(&mut stream, "").await?;
            std::future::pending().await
        }
        _ => {
            let small = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
            stream.write_all(small).await
        }
    }
}

async fn start(stream: &mut TcpStream, headers: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: 1099511627776\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await
}

async fn endless(stream: &mut TcpStream, chunk: &[u8], pause: Duration) -> std::io::Result<()> {
    loop {
        stream.write_all(chunk).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// 300 MiB of spaces in 300 kB.
fn bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..300 {
            packed.write_all(&[b' '; 1 << 20]).unwrap();
        }
        packed.finish().unwrap()
    })
}
