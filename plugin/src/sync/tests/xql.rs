//! A tenant's XQL in memory: quota, a query that takes some polls, rows inline or streamed in any compression, and the endpoints
//! that the rows speak of.

use crate::describe::Call;
use crate::platform::{Failure, Request};
use crate::testing::{Answer, FakePlatform};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;

/// How rows are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Out {
    Inline,
    Plain,
    Gzip,
    TwiceGzip,
}

type Instead = dyn Fn(u32, &Request) -> Option<Answer>;

/// The tenant.
pub struct Xql {
    pub rows: RefCell<Vec<Value>>,
    pub endpoints: RefCell<Vec<Value>>,
    pub out: Cell<Out>,
    pub status: RefCell<String>,
    pub pending: Cell<u32>,
    pub quota: RefCell<Value>,
    pub tenant_info: RefCell<Value>,
    /// What the API says about the number of rows instead of the truth.
    pub said: RefCell<Option<Value>>,
    pub started: Cell<u32>,
    /// Ids of queries that the API knows.
    pub known: RefCell<Vec<String>>,
    /// Answers before the tenant does, where it gives something; the number counts all requests from 0.
    pub instead: RefCell<Box<Instead>>,
    /// Whether get_endpoint knows nobody.
    pub forgets_endpoints: Cell<bool>,
    asked: Cell<u32>,
}

impl Xql {
    pub fn new(rows: Vec<Value>, endpoints: Vec<Value>) -> Rc<Xql> {
        Rc::new(Xql {
            rows: RefCell::new(rows),
            endpoints: RefCell::new(endpoints),
            out: Cell::new(Out::Inline),
            status: RefCell::new("SUCCESS".to_owned()),
            pending: Cell::new(0),
            quota: RefCell::new(
                json!({"license_quota": 5, "additional_purchased_quota": 0, "used_quota": 0.5}),
            ),
            tenant_info: RefCell::new(
                json!({"enabled_host_insights": 10, "purchased_host_insights": 20}),
            ),
            said: RefCell::new(None),
            started: Cell::new(0),
            known: RefCell::default(),
            instead: RefCell::new(Box::new(|_, _| None)),
            forgets_endpoints: Cell::new(false),
            asked: Cell::new(0),
        })
    }

    pub fn platform(self: &Rc<Xql>) -> FakePlatform {
        let xql = Rc::clone(self);
        FakePlatform::new(move |request| xql.answer(request))
    }

    fn answer(&self, request: &Request) -> Result<Answer, Failure> {
        let number = self.asked.replace(self.asked.get() + 1);
        if let Some(answer) = (self.instead.borrow())(number, request) {
            return Ok(answer);
        }
        let body: Value = serde_json::from_slice(&request.body).expect("a JSON request");
        let data = &body["request_data"];
        Ok(match request.call {
            Call::GetTenantInfo => Answer::reply(self.tenant_info.borrow().clone()),
            Call::GetXqlQuota => Answer::reply(self.quota.borrow().clone()),
            Call::StartXqlQuery => {
                assert!(
                    !request.repeatable,
                    "a query that is sent twice costs twice"
                );
                self.started.set(self.started.get() + 1);
                let id = format!("query-{}", self.started.get());
                self.known.borrow_mut().push(id.clone());
                Answer::reply(json!(id))
            }
            Call::GetXqlResults => {
                assert!(
                    data.get("limit").is_none(),
                    "a limit cuts the rows silently"
                );
                self.results(data["query_id"].as_str().unwrap())
            }
            Call::GetXqlResultsStream => Answer::new(200, self.stream()),
            Call::GetEndpoint => self.looked_up(&data["filters"][0]["value"]),
            other => panic!("nobody answers {other:?}"),
        })
    }

    fn results(&self, id: &str) -> Answer {
        if !self.known.borrow().iter().any(|known| known == id) {
            return Answer::json(
                500,
                &json!({"reply": {"err_code": 500, "err_msg": "An error occurred while processing XDR public API", "err_extra": "Query not found"}}),
            );
        }
        if self.pending.get() > 0 {
            self.pending.set(self.pending.get() - 1);
            return Answer::reply(json!({"status": "PENDING"}));
        }
        let rows = self.rows.borrow();
        let said = self
            .said
            .borrow()
            .clone()
            .unwrap_or_else(|| json!(rows.len()));
        let results = match self.out.get() {
            Out::Inline => json!({"data": *rows}),
            _ => json!({"stream_id": "stream-1"}),
        };
        Answer::reply(json!({
            "status": *self.status.borrow(), "number_of_results": said, "query_cost": {"t": 0.1}, "remaining_quota": 4.0, "results": results
        }))
    }

    fn stream(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for row in self.rows.borrow().iter() {
            lines.extend_from_slice(row.to_string().as_bytes());
            lines.push(b'\n');
        }
        match self.out.get() {
            Out::Gzip => gzip(&lines),
            Out::TwiceGzip => gzip(&gzip(&lines)),
            _ => lines,
        }
    }

    fn looked_up(&self, ids: &Value) -> Answer {
        let ids = ids.as_array().unwrap();
        assert!(ids.len() <= 100);
        let endpoints = self.endpoints.borrow();
        let found: Vec<&Value> = endpoints
            .iter()
            .filter(|endpoint| {
                !self.forgets_endpoints.get() && ids.contains(&endpoint["endpoint_id"])
            })
            .collect();
        Answer::reply(
            json!({"total_count": found.len(), "result_count": found.len(), "endpoints": found}),
        )
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The rows of an endpoint with so many CVEs.
pub fn rows(number: usize, cves: usize) -> Vec<Value> {
    let id = format!("e{number:05}");
    let name = format!("host-{number}");
    if cves == 0 {
        return vec![
            json!({"endpoint_id": id, "endpoint_name": name, "cves": "No CVEs Found", "name": null, "severity": null}),
        ];
    }
    (0..cves)
        .map(|cve| {
            let cve = format!("CVE-2024-{cve:04}");
            json!({
                "endpoint_id": id, "endpoint_name": name, "cves": cve, "name": cve, "severity": "HIGH", "severity_score": 8.5,
                "publication_date": 1_709_164_800_000_u64, "description": "what it is",
            })
        })
        .collect()
}
