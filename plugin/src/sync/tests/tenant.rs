//! A tenant in memory: it filters, sorts and pages as the API does, and misbehaves on request.

use crate::describe::Call;
use crate::platform::{Failure, Request};
use crate::testing::{Answer, FakePlatform};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What `total_count` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// The truth up to the cap.
    Capped(u64),
    /// Null, as some tenants answer.
    Null,
    /// Always this.
    Lying(u64),
}

type Instead = dyn Fn(u32, &Request) -> Option<Answer>;
type Hook = dyn Fn(u32, &mut Vec<Value>);

/// The tenant.
pub struct Tenant {
    pub records: RefCell<Vec<Value>>,
    pub total: Cell<Total>,
    /// Whether `search_from` is ignored.
    pub ignores_offset: Cell<bool>,
    /// Called before each request with its number, from 0.
    pub hook: RefCell<Box<Hook>>,
    /// Answers before the tenant does, where it gives something.
    pub instead: RefCell<Box<Instead>>,
    asked: Cell<u32>,
}

impl Tenant {
    pub fn new(records: Vec<Value>) -> Rc<Tenant> {
        Rc::new(Tenant {
            records: RefCell::new(records),
            total: Cell::new(Total::Capped(9_999)),
            ignores_offset: Cell::new(false),
            hook: RefCell::new(Box::new(|_, _| {})),
            instead: RefCell::new(Box::new(|_, _| None)),
            asked: Cell::new(0),
        })
    }

    pub fn platform(self: &Rc<Tenant>) -> FakePlatform {
        let tenant = Rc::clone(self);
        FakePlatform::new(move |request| tenant.answer(request))
    }

    fn answer(&self, request: &Request) -> Result<Answer, Failure> {
        let number = self.asked.replace(self.asked.get() + 1);
        (self.hook.borrow())(number, &mut self.records.borrow_mut());
        if let Some(answer) = (self.instead.borrow())(number, request) {
            return Ok(answer);
        }
        Ok(Answer::reply(self.reply(request, 0)))
    }

    /// The reply to a request, of a page that begins so many records later.
    pub fn reply(&self, request: &Request, later: u64) -> Value {
        let body: Value = serde_json::from_slice(&request.body).expect("a JSON request");
        let data = &body["request_data"];
        let (list, time) = match request.call {
            Call::GetEndpoint => ("endpoints", "first_seen"),
            Call::GetAlertsMultiEvents => ("alerts", "detection_timestamp"),
            other => panic!("nobody answers {other:?}"),
        };
        if let Some(keyword) = data["sort"]["keyword"].as_str() {
            assert_eq!(keyword, if list == "endpoints" { "ASC" } else { "asc" });
        }
        let filters = data["filters"].as_array().cloned().unwrap_or_default();
        let records = self.records.borrow();
        let mut found: Vec<&Value> = records
            .iter()
            .filter(|record| filters.iter().all(|filter| matches(record, filter, time)))
            .collect();
        found.sort_by_key(|record| record[time].as_u64());
        let from = if self.ignores_offset.get() {
            0
        } else {
            data["search_from"].as_u64().unwrap() + later
        };
        let wide = data["search_to"].as_u64().unwrap() - data["search_from"].as_u64().unwrap();
        assert!(
            wide <= 100,
            "the API gives no more than 100 records at once"
        );
        let total = match self.total.get() {
            Total::Capped(cap) => json!((found.len() as u64).min(cap)),
            Total::Null => Value::Null,
            Total::Lying(total) => json!(total),
        };
        let page: Vec<&Value> = found
            .into_iter()
            .skip(from as usize)
            .take(wide as usize)
            .collect();
        json!({"total_count": total, "result_count": page.len(), list: page})
    }
}

fn matches(record: &Value, filter: &Value, time: &str) -> bool {
    let value = &filter["value"];
    let is_in = |field: &str| {
        let own = record[field].as_str().unwrap_or_default();
        value
            .as_array()
            .unwrap()
            .iter()
            .any(|wanted| wanted.as_str().unwrap().eq_ignore_ascii_case(own))
    };
    match (
        filter["field"].as_str().unwrap(),
        filter["operator"].as_str().unwrap(),
    ) {
        ("endpoint_id_list", "in") => is_in("endpoint_id"),
        ("alert_id_list", "in") => value.as_array().unwrap().iter().any(|wanted| {
            let wanted = wanted.as_u64().expect("the API wants numbers");
            record["alert_id"].as_str() == Some(&wanted.to_string())
        }),
        ("server_creation_time", "gte") => record["local_insert_ts"].as_u64() >= value.as_u64(),
        ("server_creation_time", "lte") => record["local_insert_ts"].as_u64() <= value.as_u64(),
        ("last_seen", "gte") => record["last_seen"].as_u64() >= value.as_u64(),
        ("alert_source", "in") => is_in("source"),
        ("first_seen" | "creation_time", "gte") => record[time].as_u64() >= value.as_u64(),
        ("first_seen" | "creation_time", "lte") => record[time].as_u64() <= value.as_u64(),
        other => panic!("the API has no filter {other:?}"),
    }
}

/// The first moment at which records of these tests were seen.
pub const BEGINNING: u64 = 1_700_000_000_000;

/// An endpoint first seen so many milliseconds after the beginning.
pub fn endpoint(number: usize, after: u64) -> Value {
    json!({
        "endpoint_id": format!("e{number:05}"), "endpoint_status": "CONNECTED", "first_seen": BEGINNING + after,
        "last_seen": BEGINNING + after + 5, "ip": ["10.0.0.1"], "tags": {"server_tags": [], "endpoint_tags": ["all"]},
    })
}

/// An alert of one of the default sources.
pub fn alert(number: usize, after: u64, status: &str) -> Value {
    json!({
        "alert_id": number.to_string(), "source": "XDR BIOC", "resolution_status": status,
        "detection_timestamp": BEGINNING + after, "local_insert_ts": BEGINNING + after, "events": [],
    })
}
