//! What is sent again, and what is not.

use std::time::Duration;

use super::server::Answer;
use super::*;

async fn statuses_after(script: Vec<Answer>, repeatable: bool) -> (usize, Result<u16, Failure>) {
    let server = Server::start(script).await;
    let outcome = egress(&server)
        .send(OutgoingRequest {
            repeatable,
            ..request()
        })
        .await;
    (
        server.seen().len(),
        outcome.map(|answer| answer.status.as_u16()),
    )
}

#[tokio::test]
async fn a_passing_fault_is_overcome() {
    for status in [429, 502, 503, 504] {
        let (sent, outcome) =
            statuses_after(vec![Answer::status(status), Answer::status(200)], true).await;
        assert_eq!((sent, outcome), (2, Ok(200)), "{status}");
    }
}

#[tokio::test]
async fn a_request_that_may_not_be_repeated_is_sent_once() {
    for status in [429, 503] {
        let (sent, outcome) =
            statuses_after(vec![Answer::status(status), Answer::status(200)], false).await;
        assert_eq!((sent, outcome), (1, Ok(status)));
    }
    let (sent, outcome) = statuses_after(vec![Answer::HangUp, Answer::status(200)], false).await;
    assert_eq!(sent, 1);
    assert!(matches!(outcome, Err(Failure::Connect(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_500_is_sent_once() {
    let (sent, outcome) =
        statuses_after(vec![Answer::status(500), Answer::status(200)], true).await;
    assert_eq!((sent, outcome), (1, Ok(500)));
}

#[tokio::test]
async fn a_connection_that_broke_off_is_made_again() {
    let (sent, outcome) = statuses_after(vec![Answer::HangUp, Answer::status(200)], true).await;
    assert_eq!((sent, outcome), (2, Ok(200)));
}

#[tokio::test]
async fn after_the_last_attempt_the_last_answer_is_given_as_it_is() {
    let (sent, outcome) =
        statuses_after(vec![Answer::status(502), Answer::status(503)], true).await;
    assert_eq!((sent, outcome), (5, Ok(503)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_connection_that_failed() {
    let server = Server::start([Answer::status(200)]).await;
    let origin = server.origin();
    drop(server);
    let egress = Egress::new(config(&origin)).unwrap();
    // The port may be listened at until the task is gone; the address never is.
    let outcome = egress.send(request()).await;
    assert!(matches!(outcome, Err(Failure::Connect(_))), "{outcome:?}");
    assert_eq!(egress.usage().calls["list"].failures, 5);
}

#[tokio::test]
async fn an_answer_that_asks_for_a_long_wait_is_handed_over_at_once() {
    let server = Server::start([Answer::with(429, &[("Retry-After", "3600")], b"later")]).await;
    let answer = egress(&server).send(request()).await.unwrap();
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "3600");
    assert_eq!(whole(answer.body).await.unwrap(), b"later");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_wait_that_a_429_asks_for_holds_back_all_requests_and_is_told() {
    let wait = Duration::from_secs(1);
    let server = Server::start([
        Answer::with(429, &[("Retry-After", "1")], b""),
        Answer::status(200),
    ])
    .await;
    let mut config = config(&server.origin());
    config.limits.longest_wait = wait;
    let egress = Egress::new(config).unwrap();
    // Not repeated itself, and still the next one waits.
    let first = egress
        .send(OutgoingRequest {
            repeatable: false,
            ..request()
        })
        .await
        .unwrap();
    assert_eq!(first.status, 429);
    let second = egress.send(request()).await.unwrap();
    assert_eq!(second.status, 200);
    assert!(second.waited > wait / 2, "{:?}", second.waited);
    assert!(
        egress.held_back() >= second.waited,
        "{:?}",
        egress.held_back()
    );
    assert!(egress.usage().waited() > wait / 2);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Server::start([Answer::status(200)]).await;
    for status in [300, 301, 302, 303, 304, 305, 306, 307, 308] {
        let location = format!("{}{PATH}", elsewhere.origin());
        let server = Server::start([Answer::with(status, &[("Location", &location)], b"")]).await;
        let answer = egress(&server).send(request()).await.unwrap();
        assert_eq!((answer.status.as_u16(), server.seen().len()), (status, 1));
        assert_eq!(answer.headers["location"], location);
    }
    assert!(elsewhere.seen().is_empty());
}
