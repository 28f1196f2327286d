//! What one connection leaves with the client, no other finds: TCP connections, cookies.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::server::Answer;
use super::*;

/// A server that keeps its connections open, and tells by which of them each request came.
async fn keeping_open() -> (String, tokio::sync::mpsc::UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        for number in 1.. {
            let Ok((mut stream, _)) = listener.accept().await else {
                return;
            };
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
                    if bytes.ends_with(b"\r\n\r\n") {
                        bytes.clear();
                        let _ = sender.send(number);
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
                        let _ = stream.write_all(answer).await;
                    }
                }
            });
        }
    });
    (origin, requests)
}

#[tokio::test]
async fn a_tcp_connection_is_used_again_by_its_own_connection_and_by_no_other() {
    let (origin, mut requests) = keeping_open().await;
    let egress = || Egress::new(config(&origin)).unwrap();
    let (one, other) = (egress(), egress());
    for (egress, number) in [(&one, 1), (&one, 1), (&other, 2), (&one, 1), (&other, 2)] {
        let request = OutgoingRequest {
            method: Method::GET,
            body: Bytes::new(),
            ..request()
        };
        let answer = egress.send(request).await.unwrap();
        whole(answer.body).await.unwrap();
        assert_eq!(requests.recv().await, Some(number));
    }
}

#[tokio::test]
async fn a_cookie_is_neither_kept_nor_handed_to_the_connector() {
    let cookie = [
        ("Set-Cookie", "session=test-key; Path=/"),
        ("Set-Cookie2", "session=test-key"),
    ];
    let server = Server::start([Answer::with(200, &cookie, b"{}")]).await;
    let egress = egress(&server);
    for _ in 0..2 {
        let answer = egress.send(request()).await.unwrap();
        assert!(!format!("{:?}", answer.headers).contains("test-key"));
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.all("cookie").is_empty()));
}
