//! Asks the host for too much, too often, or for ever.

use crate::contract::http::{self, Body, Failure, Method, Request, Response};
use crate::contract::signing::{Algorithm, Digest, Encoding, Fill, Part};
use crate::contract::{inventory, log};
use crate::order::{Attack, Order, Verb};
use crate::{giving, trapdoor};
use futures_util::future::{join_all, select};
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::Ordering;

/// A request that the manifest allows.
pub(crate) fn request(path: &str) -> Request {
    Request {
        origin: "api".to_owned(),
        method: Method::Get,
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        repeatable: false,
    }
}

/// What is tried, if anything is.
pub(crate) async fn all(order: &Order, here: Verb) {
    if order.at != here {
        return;
    }
    match order.attack {
        Attack::Log => loop {
            log::write(log::Level::Error, "flood", &[]);
        },
        Attack::LogLarge => {
            let large = giving::told_often("x".repeat(10 << 20), 10);
            let fields: Vec<_> = large
                .into_iter()
                .map(|text| (text, String::new()))
                .collect();
            log::write(log::Level::Error, "", &fields);
        }
        Attack::Inventory => loop {
            let _ = black_box(open(u32::MAX).await);
        },
        Attack::InventoryAtOnce => {
            join_all((0..400).map(|_| open(u32::MAX))).await;
        }
        Attack::Requests => loop {
            let _ = black_box(get(&order.path).await);
        },
        Attack::RequestsAtOnce => loop {
            join_all((0..400).map(|_| get(&order.path))).await;
        },
        Attack::BodiesHeld => {
            let mut held = Vec::new();
            loop {
                held.push(get(&order.path).await);
            }
        }
        Attack::ReadBytes => read(order, 1).await,
        Attack::ReadAll => read(order, u32::MAX).await,
        Attack::ReadTwice => {
            if let Ok(response) = get(&order.path).await {
                // The first to come back is the one that is told that another one is reading.
                let one = pin!(response.body.read(1));
                let two = pin!(response.body.read(1));
                let (first, _) = select(one, two).await.factor_first();
                told("body", first.err().as_ref());
            }
        }
        Attack::RequestLarge => {
            let large = Request {
                body: vec![b' '; 20 << 20],
                ..request(&order.path)
            };
            told("request", http::send(large).await.err().as_ref());
        }
        Attack::RecipeHash => told("request", recipe(hashed()).await.err().as_ref()),
        Attack::RecipeBase64 => {
            let fill = Fill::Base64(vec![Part::Body; 1_000]);
            told("request", recipe(fill).await.err().as_ref());
        }
        Attack::LoopInRealloc => {
            if let Ok(response) = get(&order.path).await {
                trapdoor::TAKING.store(true, Ordering::Relaxed);
                let _ = response.body.read(1).await;
            }
        }
        _ => {}
    }
}

async fn open(limit: u32) -> Result<Vec<inventory::Held>, String> {
    inventory::open("things".to_owned(), inventory::Order::Key, None, limit).await
}

/// A thousand times the body: a gigabyte for the price of one.
fn hashed() -> Fill {
    Fill::Digest(Digest {
        algorithm: Algorithm::Sha512,
        hmac_key: None,
        parts: vec![Part::Body; 1_000],
        encoding: Encoding::Hex,
    })
}

async fn recipe(fill: Fill) -> Result<Response, Failure> {
    let costly = Request {
        method: Method::Post,
        headers: vec![("x-sum".to_owned(), vec![fill])],
        body: vec![b' '; 1 << 20],
        ..request("/echo")
    };
    http::send(costly).await
}

async fn get(path: &str) -> Result<Response, Failure> {
    http::send(request(path)).await
}

/// Reads to the end, again and again where that comes, and tells what stopped it.
async fn read(order: &Order, at_most: u32) {
    match get(&order.path).await {
        Ok(response) => told("body", drain(&response.body, at_most).await.err().as_ref()),
        Err(failure) => told("request", Some(&failure)),
    }
}

async fn drain(body: &Body, at_most: u32) -> Result<(), Failure> {
    while !body.read(at_most).await?.is_empty() {}
    Ok(())
}

/// Tells the run what the host said: a warning that is kept with it.
fn told(what: &str, failure: Option<&Failure>) {
    let said = failure.map_or_else(|| "nothing".to_owned(), |failure| format!("{failure:?}"));
    log::write(log::Level::Warn, &format!("{what} met {said}"), &[]);
}
