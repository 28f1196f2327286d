//! The contract's verbs. Each obeys its order and then behaves, where it still can.

use crate::contract::{
    BlindSpot, Check, Configuration, Entry, Fault, Guest, GuestMapper, GuestReading, Manifest,
    MapContext, Mapper as MapperResource, Outcome, Problem, Progress, Reading as ReadingResource,
    Sifting, SyncRequest, Trace, Verdict,
};
use crate::order::{Attack, Order, Verb};
use crate::{describing, flooding, giving, reaching, spending};
use std::cell::Cell;

struct Component;

impl Guest for Component {
    type Reading = Reading;
    type Mapper = Mapper;

    fn describe() -> Manifest {
        let order = describing::ordered();
        spending::at_once(&order, Verb::Describe);
        describing::manifest(&order)
    }

    fn configure(
        config: Vec<u8>,
        _secrets_set: Vec<String>,
        _written_by: Option<String>,
    ) -> Result<Configuration, Vec<Problem>> {
        let order = Order::read(&config);
        spending::at_once(&order, Verb::Configure);
        Ok(giving::configuration(&order, config))
    }

    async fn test(config: Vec<u8>) -> Vec<Check> {
        let order = Order::read(&config);
        attack(&order, Verb::Test).await;
        match order.attack {
            Attack::Reach => reaching::all(&order).await,
            Attack::Isolate => vec![reaching::isolate(&order).await],
            _ => vec![Check {
                name: "all".to_owned(),
                verdict: Verdict::Passed,
                detail: String::new(),
                remedy: String::new(),
            }],
        }
    }

    async fn sync(request: SyncRequest) -> Result<ReadingResource, Fault> {
        let order = Order::read(&request.config);
        attack(&order, Verb::Sync).await;
        let step = request.checkpoint.and_then(|checkpoint| {
            serde_json::from_slice::<serde_json::Value>(&checkpoint)
                .ok()?
                .get("step")?
                .as_u64()
        });
        Ok(ReadingResource::new(Reading {
            order,
            step: Cell::new(step.unwrap_or_default()),
        }))
    }

    async fn survey(config: Vec<u8>, _silent_days: u16) -> Vec<BlindSpot> {
        attack(&Order::read(&config), Verb::Survey).await;
        Vec::new()
    }

    fn sift(
        _before: Vec<u8>,
        after: Vec<u8>,
        _data_stream: String,
        entries: Vec<Entry>,
    ) -> Result<Sifting, Fault> {
        let order = Order::read(&after);
        spending::at_once(&order, Verb::Sift);
        Ok(giving::sifting(&order, entries.len()))
    }

    fn transform(mapping: Vec<u8>, _context: MapContext) -> Result<MapperResource, Vec<Problem>> {
        spending::at_once(&Order::read(&mapping), Verb::Transform);
        Ok(MapperResource::new(Mapper))
    }
}

/// All that can be tried in a verb that may wait.
async fn attack(order: &Order, here: Verb) {
    spending::at_once(order, here);
    spending::while_waiting(order, here).await;
    flooding::all(order, here).await;
}

/// A sync under way. Its checkpoint is the number of the next step.
pub(crate) struct Reading {
    order: Order,
    step: Cell<u64>,
}

impl Reading {
    /// One to make a handle of.
    pub(crate) fn idle() -> Self {
        Self {
            order: Order::default(),
            step: Cell::new(0),
        }
    }
}

impl GuestReading for Reading {
    async fn next(&self) -> Result<Progress, Fault> {
        let step = self.step.replace(self.step.get() + 1);
        if step < self.order.after {
            return Ok(Progress::Step(giving::step(&self.order, step)));
        }
        attack(&self.order, Verb::Next).await;
        giving::progress(&self.order, step)
    }
}

pub(crate) struct Mapper;

impl GuestMapper for Mapper {
    fn apply(&self, entries: Vec<Entry>) -> Vec<Outcome> {
        let order = entries
            .first()
            .map(|entry| Order::read(&entry.body))
            .unwrap_or_default();
        spending::at_once(&order, Verb::Apply);
        giving::outcomes(&order, entries)
    }

    fn explain(&self, entry: Entry) -> Result<Vec<Trace>, Problem> {
        let order = Order::read(&entry.body);
        spending::at_once(&order, Verb::Explain);
        Ok(giving::traces(&order))
    }

    fn reads(&self) -> Vec<String> {
        giving::reads()
    }
}

crate::contract::export!(Component with_types_in crate::contract);
