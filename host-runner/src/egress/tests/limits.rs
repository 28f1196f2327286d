//! Servers that are slow or say too much, up to where their answer's body begins. Bodies are in [`super::bodies`].

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::server::Answer;
use super::tls::{authority, trusting};
use super::*;

/// Serves each TCP connection with this.
async fn serving<F: Future<Output = ()> + Send>(
    each: impl Fn(TcpStream) -> F + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            each(stream).await;
        }
    });
    port
}

/// One attempt, which waits so long and no longer.
fn impatient(mut config: EgressConfig) -> Egress {
    config.limits.attempts = 1;
    config.limits.connect_timeout = Duration::from_millis(100);
    config.limits.idle_timeout = Duration::from_millis(100);
    config.limits.attempt_timeout = Duration::from_millis(300);
    Egress::new(config).unwrap()
}

async fn too_long(head: Vec<u8>) {
    let server = Server::start([Answer::Bytes(head)]).await;
    let egress = egress(&server);
    let outcome = egress.send(request()).await;
    assert_eq!(outcome.map(|_| ()), Err(Failure::Limit(Limit::HeaderBytes)));
    assert_eq!(server.seen().len(), 1, "it was asked again");
}

#[tokio::test]
async fn header_lines_beyond_what_the_client_reads_at_all_reach_the_same_limit() {
    let line = format!("X-Long: {}\r\n", "x".repeat(8_000));
    too_long(format!("HTTP/1.1 200 OK\r\n{}\r\n", line.repeat(1_000)).into_bytes()).await;
}

#[tokio::test]
async fn one_endless_header_line_reaches_the_limit() {
    too_long([&b"HTTP/1.1 200 OK\r\nX-Long: "[..], &vec![b'x'; 8 << 20]].concat()).await;
}

#[tokio::test]
async fn ten_thousand_header_lines_reach_the_limit() {
    too_long(format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(10_000)).into_bytes()).await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let (held, _keep) = tokio::sync::mpsc::unbounded_channel();
    let port = serving(move |stream| {
        let _ = held.send(stream);
        async {}
    })
    .await;
    match impatient(trusting(&authority("ours"), port))
        .send(request())
        .await
    {
        Err(Failure::Connect(told)) => {
            assert!(
                told.contains("did not take the connection in time"),
                "{told}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// Waits for the request, then writes these bytes, the latter again and again with a pause between, until the client goes.
async fn drip(mut stream: TcpStream, first: &[u8], then: &[u8], pause: Duration) {
    let _ = stream.read(&mut [0; 4096]).await;
    let _ = stream.write_all(first).await;
    while stream.write_all(then).await.is_ok() {
        tokio::time::sleep(pause).await;
    }
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_given_up_although_each_byte_is_in_time() {
    let port = serving(|stream| {
        drip(
            stream,
            b"HTTP/1.1 200 OK\r\nX-Slow: ",
            b"x",
            Duration::from_millis(5),
        )
    })
    .await;
    let outcome = impatient(config(&format!("http://127.0.0.1:{port}")))
        .send(request())
        .await;
    assert_eq!(outcome.map(|_| ()), Err(Failure::Timeout));
}

#[tokio::test]
async fn answers_before_the_answer_that_never_end_are_given_up() {
    for early in [
        &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    ] {
        let port = serving(move |stream| drip(stream, b"", early, Duration::from_millis(1))).await;
        let outcome = impatient(config(&format!("http://127.0.0.1:{port}")))
            .send(request())
            .await;
        assert_eq!(outcome.map(|_| ()), Err(Failure::Timeout));
    }
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_given_up_although_each_byte_is_in_time() {
    let port = serving(|stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        drip(stream, head, b"x", Duration::from_millis(5))
    })
    .await;
    let egress = impatient(config(&format!("http://127.0.0.1:{port}")));
    let answer = egress.send(request()).await.unwrap();
    assert_eq!(whole(answer.body).await, Err(Failure::Timeout));
}
