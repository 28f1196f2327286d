//! Binds the contract to the connector: exports over the library's functions, the platform over the contract's imports.
//! Nothing is decided here.

use crate::configure::{ORIGIN, Settings};
use crate::contract::exports::connector::platform::connector::{
    Guest, GuestMapper, GuestReading, Mapper as MapperResource, Reading as ReadingResource,
};
use crate::contract::{
    BlindSpot, Check, Configuration, Entry, Fault, Manifest, MapContext, Outcome, Problem,
    Progress, Sifting, SyncRequest, Trace, Verdict, clock, http as wire, inventory, log,
};
use crate::platform::{Body, Failure, Platform, Request, Response};
use crate::{check, configure, describe, survey, sync, transform};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

struct Component;

impl Guest for Component {
    type Reading = Reading;
    type Mapper = Mapper;

    fn describe() -> Manifest {
        describe::manifest()
    }

    fn configure(
        config: Vec<u8>,
        secrets_set: Vec<String>,
        written_by: Option<String>,
    ) -> Result<Configuration, Vec<Problem>> {
        configure::configure(&config, &secrets_set, written_by.as_deref())
    }

    async fn test(config: Vec<u8>) -> Vec<Check> {
        match Settings::from_config(&config) {
            Ok(settings) => check::check(&Host, &settings).await,
            Err(problems) => problems.into_iter().map(unreadable).collect(),
        }
    }

    async fn sync(request: SyncRequest) -> Result<ReadingResource, Fault> {
        let reading = sync::sync(Host, request).await?;
        Ok(ReadingResource::new(Reading(reading)))
    }

    async fn survey(config: Vec<u8>, silent_days: u16) -> Vec<BlindSpot> {
        survey::survey(Host, &config, silent_days).await
    }

    fn sift(
        before: Vec<u8>,
        after: Vec<u8>,
        data_stream: String,
        entries: Vec<Entry>,
    ) -> Result<Sifting, Fault> {
        sync::sift(&before, &after, &data_stream, &entries)
    }

    fn transform(mapping: Vec<u8>, context: MapContext) -> Result<MapperResource, Vec<Problem>> {
        transform::prepare(&mapping, &context).map(|mapper| MapperResource::new(Mapper(mapper)))
    }
}

/// A problem of the configuration as a check that failed.
fn unreadable(problem: Problem) -> Check {
    Check {
        name: format!("configuration {}", problem.pointer),
        verdict: Verdict::Failed,
        detail: problem.message,
        remedy: "Update the connection's configuration.".to_owned(),
    }
}

struct Reading(sync::Reading<Host>);

impl GuestReading for Reading {
    async fn next(&self) -> Result<Progress, Fault> {
        self.0.next().await
    }
}

struct Mapper(transform::Mapper);

impl GuestMapper for Mapper {
    fn apply(&self, entries: Vec<Entry>) -> Vec<Outcome> {
        self.0.apply(entries)
    }

    fn explain(&self, entry: Entry) -> Result<Vec<Trace>, Problem> {
        self.0.explain(&entry.key, &entry.body)
    }

    fn reads(&self) -> Vec<String> {
        self.0.reads().to_vec()
    }
}

/// The host, through the contract's imports.
#[derive(Clone, Copy)]
struct Host;

impl Platform for Host {
    type Body = wire::Body;

    async fn send(&self, request: Request) -> Result<Response<wire::Body>, Failure> {
        let method = request.call.method();
        let response = wire::send(wire::Request {
            origin: ORIGIN.to_owned(),
            method: if method == Method::GET {
                wire::Method::Get
            } else {
                wire::Method::Post
            },
            path: request.call.path().to_owned(),
            query: Vec::new(),
            headers: request
                .headers
                .into_iter()
                .map(|(name, fills)| (name.as_str().to_owned(), fills))
                .collect(),
            body: request.body,
            repeatable: request.repeatable,
        })
        .await?;
        let status = StatusCode::from_u16(response.status)
            .map_err(|_| Failure::Other(format!("the host gave the status {}", response.status)))?;
        let mut headers = HeaderMap::new();
        for (name, value) in response.headers {
            // Only those that the connector reads: to know any header by its name would take 12 kB of code.
            let read = [header::DATE, header::RETRY_AFTER]
                .into_iter()
                .find(|read| read.as_str() == name);
            if let (Some(name), Ok(value)) = (read, HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        Ok(Response {
            status,
            headers,
            body: response.body,
        })
    }

    fn now(&self) -> u64 {
        clock::now()
    }

    async fn sleep(&self, milliseconds: u64) {
        clock::sleep(milliseconds).await;
    }

    async fn open(
        &self,
        data_stream: &str,
        order: inventory::Order,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<inventory::Held>, String> {
        inventory::open(data_stream.to_owned(), order, after, limit).await
    }

    fn log(&self, level: log::Level, message: &str, fields: &[(&str, String)]) {
        let fields: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        log::write(level, message, &fields);
    }
}

impl Body for wire::Body {
    async fn read(&mut self, limit: u32) -> Result<Vec<u8>, Failure> {
        wire::Body::read(self, limit).await
    }
}

crate::contract::export!(Component with_types_in crate::contract);
