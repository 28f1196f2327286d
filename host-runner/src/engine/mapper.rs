//! A prepared map in an instance of its own, asked one question after the other.

use super::answers;
use super::call::CallError;
use super::instance::{Instance, finish};
use super::meter::{Guarded, Meter};
use crate::contract::connector::{Entry, MapContext, Outcome, Trace};
use crate::contract::types::Problem;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const VERB: &str = "transform";

/// What a map is asked.
enum Question {
    Apply(Vec<Entry>),
    Explain(Entry),
    Reads,
}

/// What it answers.
enum Answer {
    Outcomes(Vec<Outcome>),
    Traces(Result<Vec<Trace>, Problem>),
    Paths(Vec<String>),
}

type Asked = (Question, oneshot::Sender<Answer>);

/// A map at work. Dropping it ends the instance.
pub struct Mapper {
    questions: mpsc::Sender<Asked>,
    task: JoinHandle<()>,
    broken: Arc<Mutex<Option<CallError>>>,
}

impl Mapper {
    /// Prepares the map; its own errors are told here, once.
    pub(crate) async fn start(
        instance: Instance,
        mapping: Vec<u8>,
        context: MapContext,
    ) -> Result<Result<Self, Vec<Problem>>, CallError> {
        let (questions, receiver) = mpsc::channel(1);
        let (told, prepared) = oneshot::channel();
        let broken = Arc::new(Mutex::new(None));
        let task = tokio::spawn(run(
            instance,
            mapping,
            context,
            told,
            receiver,
            Arc::clone(&broken),
        ));
        let mapper = Self {
            questions,
            task,
            broken,
        };
        match prepared.await {
            Ok(Ok(())) => Ok(Ok(mapper)),
            Ok(Err(problems)) => Ok(Err(problems)),
            Err(_) => Err(mapper.why()),
        }
    }

    /// One outcome for each entry, in order.
    ///
    /// # Errors
    /// The call did not come to its end, or gave another number of outcomes.
    pub async fn apply(&self, entries: Vec<Entry>) -> Result<Vec<Outcome>, CallError> {
        let expected = entries.len();
        match self.ask(Question::Apply(entries)).await? {
            Answer::Outcomes(outcomes) if outcomes.len() == expected => Ok(outcomes),
            Answer::Outcomes(outcomes) => Err(broken(format!(
                "{} outcomes for {expected} entries",
                outcomes.len()
            ))),
            Answer::Traces(_) | Answer::Paths(_) => Err(self.why()),
        }
    }

    /// Where the values of an entry's documents come from: one trace for each document, in their order; or why the entry can't be read.
    ///
    /// # Errors
    /// The call did not come to its end, or gave traces that the contract does not allow.
    pub async fn explain(&self, entry: Entry) -> Result<Result<Vec<Trace>, Problem>, CallError> {
        match self.ask(Question::Explain(entry)).await? {
            Answer::Traces(traces) => answers::traces(traces).map_err(broken),
            Answer::Outcomes(_) | Answer::Paths(_) => Err(self.why()),
        }
    }

    /// The paths of the source record that the map reads, each once, in the order of the alphabet.
    ///
    /// # Errors
    /// The call did not come to its end.
    pub async fn reads(&self) -> Result<Vec<String>, CallError> {
        match self.ask(Question::Reads).await? {
            Answer::Paths(paths) => Ok(answers::paths(paths)),
            Answer::Outcomes(_) | Answer::Traces(_) => Err(self.why()),
        }
    }

    async fn ask(&self, question: Question) -> Result<Answer, CallError> {
        let (reply, answer) = oneshot::channel();
        if self.questions.send((question, reply)).await.is_err() {
            return Err(self.why());
        }
        answer.await.map_err(|_| self.why())
    }

    fn why(&self) -> CallError {
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .unwrap_or(CallError::Cancelled { verb: VERB })
    }
}

fn broken(message: String) -> CallError {
    CallError::Contract {
        verb: VERB,
        message,
    }
}

impl Drop for Mapper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut instance: Instance,
    mapping: Vec<u8>,
    context: MapContext,
    told: oneshot::Sender<Result<(), Vec<Problem>>>,
    mut questions: mpsc::Receiver<Asked>,
    broken: Arc<Mutex<Option<CallError>>>,
) {
    let meter: Arc<Meter> = Arc::clone(&instance.meter);
    let exports = &instance.exports;
    // What is still to be answered when the instance breaks: dropped only after the reason is written down.
    let pending: Mutex<Option<oneshot::Sender<Answer>>> = Mutex::new(None);
    let told = Mutex::new(Some(told));
    let work = instance.store.run_concurrent(async |accessor| {
        let api = exports.connector_platform_connector();
        let prepared = api.call_transform(accessor, mapping, context).await?;
        meter.end_step();
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mapper = match prepared {
            Ok(mapper) => {
                told.map(|told| told.send(Ok(())));
                mapper
            }
            Err(problems) => {
                told.map(|told| told.send(Err(problems)));
                return wasmtime::Result::Ok(());
            }
        };
        while let Some((question, reply)) = questions.recv().await {
            *pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
            meter.begin_step();
            let map = api.mapper();
            let answer = match question {
                Question::Apply(entries) => {
                    Answer::Outcomes(map.call_apply(accessor, mapper, entries).await?)
                }
                Question::Explain(entry) => {
                    Answer::Traces(map.call_explain(accessor, mapper, entry).await?)
                }
                Question::Reads => Answer::Paths(map.call_reads(accessor, mapper).await?),
            };
            meter.end_step();
            let reply = pending
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            reply.map(|reply| reply.send(answer));
        }
        Ok(())
    });
    let outcome = Guarded::new(work, &meter).await;
    if let Err(error) = finish(VERB, &meter, outcome) {
        *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
    drop(pending);
    drop(told);
}
