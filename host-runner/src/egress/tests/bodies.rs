//! Reading answers, and answers that are an attack.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::server::Answer;
use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_is_read_in_pieces_of_at_most_the_limit_and_ends_with_none() {
    let server = Server::start([Answer::with(200, &[], b"0123456789")]).await;
    let mut body = egress(&server).send(request()).await.unwrap().body;
    let mut pieces = Vec::new();
    loop {
        let piece = body.read(4).await.unwrap();
        if piece.is_empty() {
            break;
        }
        assert!(piece.len() <= 4);
        pieces.extend_from_slice(&piece);
    }
    assert_eq!(pieces, b"0123456789");
    assert_eq!(body.read(4).await, Ok(Bytes::new()));
}

#[tokio::test]
async fn a_read_of_nothing_is_an_error_and_not_the_end() {
    let server = Server::start([Answer::with(200, &[], b"0123456789")]).await;
    let mut body = egress(&server).send(request()).await.unwrap().body;
    assert!(matches!(body.read(0).await, Err(Failure::Other(_))));
    assert_eq!(whole(body).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn content_encoding_is_undone_and_its_headers_are_gone() {
    let plain = b"[1,2,3]".repeat(1000);
    let server = Server::start([Answer::with(
        200,
        &[("Content-Encoding", "gzip")],
        &gzip(&plain),
    )])
    .await;
    let answer = egress(&server).send(request()).await.unwrap();
    assert!(!answer.headers.contains_key("content-encoding"));
    assert!(!answer.headers.contains_key("content-length"));
    assert_eq!(whole(answer.body).await.unwrap(), plain);
}

#[tokio::test]
async fn a_compression_bomb_is_stopped_by_the_limit_on_what_comes_out_of_it() {
    let bomb = gzip(&vec![0; 20 << 20]);
    assert!(bomb.len() < 1 << 20);
    let server = Server::start([Answer::with(200, &[("Content-Encoding", "gzip")], &bomb)]).await;
    let mut config = config(&server.origin());
    config.limits.response_bytes = 1 << 20;
    let egress = Egress::new(config).unwrap();
    let mut body = egress.send(request()).await.unwrap().body;
    let mut read = 0;
    let failure = loop {
        match body.read(1 << 16).await {
            Ok(bytes) => read += bytes.len(),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure, Failure::Limit(Limit::ResponseBytes));
    assert!(read <= 1 << 20, "{read}");
    // It stays so, and the rest is not unpacked behind anyone's back.
    assert_eq!(
        body.read(1).await,
        Err(Failure::Limit(Limit::ResponseBytes))
    );
    assert!(egress.usage().bytes_received() < 2 << 20);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_whole() {
    let server = Server::start([Answer::with(200, &[], b"0123456789")]).await;
    for (limit, fits) in [(10, true), (9, false)] {
        let mut config = config(&server.origin());
        config.limits.response_bytes = limit;
        let body = Egress::new(config)
            .unwrap()
            .send(request())
            .await
            .unwrap()
            .body;
        assert_eq!(whole(body).await.is_ok(), fits, "{limit}");
    }
}

#[tokio::test]
async fn a_body_that_stops_short_is_a_failure_of_the_body() {
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789".to_vec();
    let server = Server::start([Answer::Bytes(short)]).await;
    let body = egress(&server).send(request()).await.unwrap().body;
    assert!(matches!(whole(body).await, Err(Failure::Body(_))));
}

#[tokio::test]
async fn gzip_that_stops_short_or_is_none_is_a_failure_of_the_body() {
    let packed = gzip(&b"[1,2,3]".repeat(1000));
    for bytes in [&packed[..packed.len() - 9], b"this is not gzip"] {
        let server =
            Server::start([Answer::with(200, &[("Content-Encoding", "gzip")], bytes)]).await;
        let body = egress(&server).send(request()).await.unwrap().body;
        let outcome = whole(body).await;
        assert!(matches!(outcome, Err(Failure::Body(_))), "{outcome:?}");
    }
}

/// From here on nobody waits: where all that could happen is a timeout, it happens at once.
async fn stop_the_clock_once_asked(server: &Server) {
    while server.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout_and_is_not_repeated() {
    let server = Server::start([Answer::Stall(Vec::new())]).await;
    let egress = egress(&server);
    let (outcome, ()) = tokio::join!(egress.send(request()), stop_the_clock_once_asked(&server));
    assert_eq!(outcome.map(|_| ()), Err(Failure::Timeout));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_next_byte_that_never_comes_is_a_timeout() {
    let stall = Answer::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789".to_vec());
    let server = Server::start([stall]).await;
    let mut body = egress(&server).send(request()).await.unwrap().body;
    assert_eq!(body.read(100).await, Ok(Bytes::from_static(b"0123456789")));
    stop_the_clock_once_asked(&server).await;
    let asked = tokio::time::Instant::now();
    assert_eq!(body.read(100).await, Err(Failure::Timeout));
    assert!(
        asked.elapsed() >= Duration::from_secs(19),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn time_in_which_the_connector_does_not_read_is_not_held_against_the_server() {
    let stall = Answer::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789".to_vec());
    let server = Server::start([stall]).await;
    let mut body = egress(&server).send(request()).await.unwrap().body;
    stop_the_clock_once_asked(&server).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
    assert_eq!(body.read(100).await, Ok(Bytes::from_static(b"0123456789")));
}

#[tokio::test]
async fn header_lines_beyond_the_limit_are_refused() {
    let server = Server::start([Answer::with(200, &[("X-Long", &"x".repeat(2000))], b"")]).await;
    let mut config = config(&server.origin());
    config.limits.header_bytes = 1000;
    let outcome = Egress::new(config).unwrap().send(request()).await;
    assert_eq!(outcome.map(|_| ()), Err(Failure::Limit(Limit::HeaderBytes)));
}

#[tokio::test]
async fn what_is_not_http_is_a_failure_and_nothing_worse() {
    for bytes in [
        &b"\x00\xff\xfe"[..],
        b"HTTP/9.9 banana\r\n\r\n",
        b"HTTP/1.1 99999 No\r\n\r\n",
        b"\r\n",
    ] {
        let server = Server::start([Answer::Bytes(bytes.to_vec())]).await;
        assert!(egress(&server).send(request()).await.is_err(), "{bytes:?}");
    }
}

#[tokio::test]
async fn bodies_that_are_held_and_not_read_count_until_they_are_dropped_or_ended() {
    let server = Server::start([Answer::with(200, &[], b"0123456789")]).await;
    let mut config = config(&server.origin());
    config.limits.concurrent_requests = 2;
    let egress = Egress::new(config).unwrap();
    let held = egress.send(request()).await.unwrap();
    let mut read = egress.send(request()).await.unwrap();
    let refused = |outcome: Result<Incoming, Failure>| {
        outcome.map(|_| ()) == Err(Failure::Limit(Limit::ConcurrentRequests))
    };
    assert!(refused(egress.send(request()).await));
    while !read.body.read(100).await.unwrap().is_empty() {}
    let third = egress.send(request()).await.unwrap();
    assert!(refused(egress.send(request()).await));
    drop((held, third));
    egress.send(request()).await.unwrap();
}
