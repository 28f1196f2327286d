//! The handle with which a test steers chaos, and what the server asks for each request.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::{ChaosAct, ChaosEntry};
use super::fault::Fault;
use super::mutate::mutate;
use super::plan::Plan;
use super::spec::Chaos;
use crate::call::Call;
use crate::tenant::handle::TenantHandle;
use crate::tenant::mix::{Mix, Purpose};

/// How many entries the log keeps; older ones are dropped.
const KEPT: usize = 100_000;

/// What a scripted fault names to happen to any call.
const ANY: &str = "*";

/// Seconds in `Retry-After` where no [`Chaos`] says another number.
const RETRY_AFTER: u32 = 1;

/// Steers chaos in a running simulator, also in one that was started without any. Clones share it.
#[derive(Clone, Debug)]
pub struct ChaosHandle {
    state: Arc<Mutex<State>>,
    tenant: TenantHandle,
    /// How far a signature may be from the tenant's clock, in milliseconds.
    tolerance_ms: i64,
    seed: u64,
}

/// Why a fault cannot be scripted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    /// The call is none that is simulated.
    #[error(
        "{call:?} is no call of the simulator; name it as endpoints/get_endpoint, or * for any call"
    )]
    UnknownCall {
        /// What was named.
        call: String,
    },
    /// The fault cannot happen to the call.
    #[error("the fault {fault} cannot happen to {call}; choose one that concerns it")]
    DoesNotApply {
        /// The fault.
        fault: Fault,
        /// The call.
        call: String,
    },
}

#[derive(Debug, Default)]
struct State {
    chaos: Option<(Chaos, Plan)>,
    stopped: bool,
    requests: u64,
    mutations: u64,
    /// What lasts since the plan brought it.
    planned: Lasting,
    /// What lasts since a script brought it.
    scripted: Lasting,
    scripts: Vec<Script>,
    log: VecDeque<ChaosEntry>,
}

/// What lasts beyond a request.
#[derive(Clone, Debug, Default)]
struct Lasting {
    revoked: bool,
    denied: BTreeSet<String>,
    skew_ms: i64,
}

#[derive(Debug)]
struct Script {
    call: String,
    skip: u64,
    times: u64,
    fault: Fault,
}

/// What is to be done to one request.
#[derive(Debug)]
pub struct Act {
    /// Its number.
    pub request: u64,
    pub fault: Option<Fault>,
    /// Numbers for the details of the fault.
    pub mix: Mix,
    /// Whether the key is revoked.
    pub revoked: bool,
    /// Whether the permission for the call is gone.
    pub denied: bool,
    /// Seconds for `Retry-After`.
    pub retry_after: u32,
}

impl ChaosHandle {
    pub(crate) fn new(
        chaos: Option<Chaos>,
        tenant: TenantHandle,
        tolerance_ms: i64,
        seed: u64,
    ) -> Self {
        let handle = ChaosHandle {
            state: Arc::default(),
            tenant,
            tolerance_ms,
            seed,
        };
        handle.set(chaos);
        handle
    }

    /// What is planned.
    pub fn plan(&self) -> Option<Chaos> {
        let state = self.lock();
        state.chaos.as_ref().map(|(chaos, _)| chaos.clone())
    }

    /// Plans something else from the next request on, which becomes number 1; `None`: nothing. What lasts is restored, the log is
    /// kept, and chaos runs even if it was stopped.
    pub fn set(&self, chaos: Option<Chaos>) {
        let mut state = self.lock();
        state.chaos = chaos.map(|chaos| {
            let plan = Plan::new(&chaos);
            (chaos, plan)
        });
        (state.requests, state.mutations, state.stopped) = (0, 0, false);
        state.planned = Lasting::default();
    }

    /// Ends all faults and mutations, planned and scripted, also those that last, so that every request from now on is answered
    /// as a healthy tenant does. Requests are counted on. A key or a permission that a test took through [`TenantHandle`] stays so.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.scripts.clear();
        (state.planned, state.scripted) = (Lasting::default(), Lasting::default());
    }

    /// Lets the plan go on after [`ChaosHandle::stop`], at the number that the next request has.
    pub fn start(&self) {
        self.lock().stopped = false;
    }

    /// Gives back what faults took for good: the key, permissions, the right time.
    pub fn restore(&self) {
        let mut state = self.lock();
        (state.planned, state.scripted) = (Lasting::default(), Lasting::default());
    }

    /// Whether the plan is in force: there is one, it was not stopped, and its last request is not past.
    pub fn is_running(&self) -> bool {
        let state = self.lock();
        let next = state.requests + 1;
        let planned = state.chaos.as_ref();
        !state.stopped && planned.is_some_and(|(_, plan)| !plan.over(next))
    }

    /// Number of requests since the start, or since [`ChaosHandle::set`].
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// What was done so far, oldest first (the last 100,000). Each entry is written in one line.
    pub fn log(&self) -> Vec<ChaosEntry> {
        self.lock().log.iter().cloned().collect()
    }

    /// How often a fault was brought so far.
    pub fn count(&self, fault: Fault) -> usize {
        let state = self.lock();
        let entries = state.log.iter();
        entries
            .filter(|entry| entry.act == ChaosAct::Fault(fault))
            .count()
    }

    /// Brings a fault to the next `times` requests to a call, named as `endpoints/get_endpoint`, or `*` for any. Works with and
    /// without a plan, also with one that was stopped, and goes before it. Scripts for the same call happen one after the other.
    pub fn inject(&self, call: &str, fault: Fault, times: u64) -> Result<(), InjectError> {
        self.inject_after(call, 0, fault, times)
    }

    /// Like [`ChaosHandle::inject`], but lets `skip` requests to the call pass first.
    pub fn inject_after(
        &self,
        call: &str,
        skip: u64,
        fault: Fault,
        times: u64,
    ) -> Result<(), InjectError> {
        if call != ANY {
            let Some(known) = Call::named(call) else {
                return Err(InjectError::UnknownCall {
                    call: call.to_owned(),
                });
            };
            if !fault.concerns(Some(known)) {
                return Err(InjectError::DoesNotApply {
                    fault,
                    call: call.to_owned(),
                });
            }
        }
        let mut state = self.lock();
        state.scripts.push(Script {
            call: call.to_owned(),
            skip,
            times,
            fault,
        });
        Ok(())
    }

    /// How many scripted faults are still to come.
    pub fn pending(&self) -> u64 {
        self.lock().scripts.iter().map(|script| script.times).sum()
    }

    /// Counts a request, changes the tenant as is planned before it, and says what is to be done to it.
    pub(crate) fn begin(&self, call: Option<Call>, path: &str) -> Act {
        let mut state = self.lock();
        state.requests += 1;
        let request = state.requests;
        let name = call.map_or(path, |call| call.name());
        let (seed, retry_after) = match &state.chaos {
            Some((chaos, _)) => (chaos.seed, chaos.retry_after),
            None => (self.seed, RETRY_AFTER),
        };
        let mut mix = Mix::new(seed, Purpose::FaultDetail, request);
        let mut planned = None;
        if let Some((chaos, plan)) = state.chaos.clone().filter(|_| !state.stopped) {
            if plan.over(request) {
                state.planned = Lasting::default();
            }
            let room = chaos.max_mutations.unwrap_or(u64::MAX);
            let mut numbers = Mix::new(seed, Purpose::MutationDetail, request);
            for mutation in plan.mutations(request) {
                if state.mutations >= room {
                    break;
                }
                if let Some(detail) = mutate(&self.tenant, mutation, &mut numbers) {
                    state.mutations += 1;
                    state.note(request, name, ChaosAct::Mutation(mutation), detail);
                }
            }
            planned = plan.fault(request, call);
        }
        let scripted = state.scripted_fault(call, name);
        let fault = scripted.or(planned);
        if let Some(fault) = fault {
            let tolerance = self.tolerance_ms;
            let lasting = match scripted {
                Some(_) => &mut state.scripted,
                None => &mut state.planned,
            };
            let detail = lasting.begin(fault, name, tolerance, &mut mix);
            state.note(request, name, ChaosAct::Fault(fault), detail);
        }
        Act {
            request,
            fault,
            mix,
            revoked: state.planned.revoked || state.scripted.revoked,
            denied: state.planned.denied.contains(name) || state.scripted.denied.contains(name),
            retry_after,
        }
    }

    /// Adds to the log how the fault of a request was carried out.
    pub(crate) fn explain(&self, request: u64, detail: String) {
        let mut state = self.lock();
        let entries = state.log.iter_mut().rev();
        let mut faults = entries.filter(|entry| matches!(entry.act, ChaosAct::Fault(_)));
        if let Some(entry) = faults.find(|entry| entry.request == request) {
            entry.detail = detail;
        }
    }

    /// By how many milliseconds chaos has put the tenant's clock ahead.
    pub(crate) fn skew_ms(&self) -> i64 {
        let state = self.lock();
        state.planned.skew_ms.saturating_add(state.scripted.skew_ms)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The fault of the first script that has one for this request; scripts that wait count it.
    fn scripted_fault(&mut self, call: Option<Call>, name: &str) -> Option<Fault> {
        let fits = |script: &Script| {
            (script.call == ANY || script.call == name) && script.fault.concerns(call)
        };
        let script = self.scripts.iter_mut().find(|script| fits(script))?;
        if script.skip > 0 {
            script.skip -= 1;
            return None;
        }
        script.times = script.times.saturating_sub(1);
        let fault = script.fault;
        self.scripts.retain(|script| script.times > 0);
        Some(fault)
    }

    fn note(&mut self, request: u64, call: &str, act: ChaosAct, detail: String) {
        if self.log.len() >= KEPT {
            self.log.pop_front();
        }
        self.log.push_back(ChaosEntry {
            request,
            call: call.to_owned(),
            act,
            detail,
        });
    }
}

impl Lasting {
    /// Begins what lasts of a fault. Returns what there is to say about it.
    fn begin(&mut self, fault: Fault, call: &str, tolerance_ms: i64, mix: &mut Mix) -> String {
        let sign = |mix: &mut Mix| if mix.percent(50) { 1 } else { -1 };
        match fault {
            Fault::KeyRevoked => self.revoked = true,
            Fault::PermissionRemoved => {
                self.denied.insert(call.to_owned());
            }
            // Two thirds of what is tolerated, or four thirds: the client's own clock and the time of a request have room.
            Fault::ClockDrift => self.skew_ms = sign(mix) * (tolerance_ms / 3 * 2),
            Fault::ClockSkew => self.skew_ms = sign(mix) * (tolerance_ms / 3 * 4),
            _ => return String::new(),
        }
        match fault {
            Fault::ClockDrift | Fault::ClockSkew => {
                format!("{:+} s", self.skew_ms / 1_000)
            }
            _ => "until it is restored".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::tenant::Tenant;
    use crate::xql::engine::XqlEngine;

    const NAME: &str = "endpoints/get_endpoint";

    fn handle(chaos: Option<&str>) -> ChaosHandle {
        let options = Options {
            endpoints: 40,
            alerts: 40,
            cves: 20,
            ..Options::default()
        };
        let tenant = TenantHandle::new(
            Tenant::generate(&options, 1_750_000_000_000),
            XqlEngine::new(&options, 20_000),
        );
        ChaosHandle::new(chaos.map(|text| text.parse().unwrap()), tenant, 900_000, 1)
    }

    fn next(chaos: &ChaosHandle) -> Act {
        chaos.begin(Some(Call::GetEndpoint), "")
    }

    fn faults(chaos: &ChaosHandle, count: usize) -> Vec<Option<Fault>> {
        (0..count).map(|_| next(chaos).fault).collect()
    }

    #[test]
    fn the_same_seed_and_the_same_requests_do_the_same_to_the_same_tenant() {
        let (one, two, other) = (
            handle(Some("7:storm")),
            handle(Some("7:storm")),
            handle(Some("8:storm")),
        );
        for chaos in [&one, &two, &other] {
            faults(chaos, 300);
        }
        assert!(one.log().len() > 50);
        for (one, two) in one.log().iter().zip(two.log()) {
            assert_eq!(one.to_string(), two.to_string());
        }
        assert_eq!(one.log().len(), two.log().len());
        assert_ne!(one.log(), other.log());
        let states = |chaos: &ChaosHandle| {
            let history = chaos.tenant.history();
            (history.endpoints, history.alerts, history.cves_removed)
        };
        assert!(states(&one) == states(&two));
    }

    #[test]
    fn what_was_done_is_what_was_planned() {
        let chaos = handle(Some("7:lies"));
        let plan = chaos.plan().unwrap();
        for (fault, request) in faults(&chaos, 100).into_iter().zip(1..) {
            assert_eq!(fault, plan.planned(request, NAME));
        }
    }

    #[test]
    fn stopping_ends_everything_and_starting_goes_on_with_the_plan() {
        let chaos = handle(Some("7:reset=1+alert-added=1"));
        chaos.inject(NAME, Fault::KeyRevoked, 1).unwrap();
        assert!(next(&chaos).revoked && next(&chaos).fault == Some(Fault::Reset));
        chaos.inject(NAME, Fault::CutBody, 5).unwrap();
        assert!(chaos.is_running());
        chaos.stop();
        assert!(!chaos.is_running());
        let (alerts, log) = (chaos.tenant.alerts().len(), chaos.log().len());
        let quiet = next(&chaos);
        assert!(quiet.fault.is_none() && !quiet.revoked && chaos.pending() == 0);
        assert_eq!(
            (alerts, log),
            (chaos.tenant.alerts().len(), chaos.log().len())
        );
        chaos.inject(NAME, Fault::CutBody, 1).unwrap();
        let scripted = faults(&chaos, 2);
        assert_eq!(scripted, [Some(Fault::CutBody), None], "the plan rests");
        chaos.start();
        assert_eq!(next(&chaos).fault, Some(Fault::Reset));
        assert_eq!(chaos.requests(), 6);
    }

    #[test]
    fn scripted_faults_come_to_the_requests_that_they_are_meant_for() {
        let chaos = handle(None);
        chaos.inject_after(NAME, 1, Fault::ShortPage, 2).unwrap();
        chaos.inject(NAME, Fault::Reset, 1).unwrap();
        let other = chaos.begin(Some(Call::GetQuota), "");
        assert_eq!(other.fault, None);
        let (short, reset) = (Some(Fault::ShortPage), Some(Fault::Reset));
        assert_eq!(faults(&chaos, 5), [None, short, short, reset, None]);
        assert_eq!(chaos.count(Fault::ShortPage), 2);
    }

    #[test]
    fn a_script_that_can_never_happen_is_refused() {
        let chaos = handle(None);
        let unknown = chaos.inject("endpoints/get_endpiont", Fault::Reset, 1);
        assert!(matches!(unknown, Err(InjectError::UnknownCall { .. })));
        let useless = chaos.inject("xql/get_quota", Fault::ShortPage, 1);
        assert!(matches!(useless, Err(InjectError::DoesNotApply { .. })));
        chaos.inject("*", Fault::ShortPage, 1).unwrap();
        assert_eq!(chaos.begin(Some(Call::GetQuota), "").fault, None);
        assert_eq!(next(&chaos).fault, Some(Fault::ShortPage));
    }

    #[test]
    fn a_revoked_key_stays_so_until_it_is_restored_or_the_plan_ends() {
        let chaos = handle(Some("7:key-revoked=1,until=2"));
        assert!(next(&chaos).revoked && next(&chaos).revoked);
        assert!(!next(&chaos).revoked);
        chaos.inject(NAME, Fault::KeyRevoked, 1).unwrap();
        assert!(next(&chaos).revoked && next(&chaos).revoked);
        chaos.restore();
        assert!(!next(&chaos).revoked);
    }

    #[test]
    fn a_permission_is_removed_for_one_call_only() {
        let chaos = handle(None);
        chaos.inject(NAME, Fault::PermissionRemoved, 1).unwrap();
        assert!(next(&chaos).denied && next(&chaos).denied);
        assert!(!chaos.begin(Some(Call::GetAlerts), "").denied);
    }

    #[test]
    fn clocks_jump_within_and_beyond_what_is_tolerated() {
        let chaos = handle(None);
        chaos.inject(NAME, Fault::ClockDrift, 1).unwrap();
        next(&chaos);
        assert_eq!(chaos.skew_ms().abs(), 600_000);
        chaos.inject(NAME, Fault::ClockSkew, 1).unwrap();
        next(&chaos);
        assert_eq!(chaos.skew_ms().abs(), 1_200_000);
        chaos.restore();
        assert_eq!(chaos.skew_ms(), 0);
    }

    #[test]
    fn no_more_mutations_are_made_than_are_allowed() {
        let chaos = handle(Some("7:alert-added=1,mutations=3"));
        faults(&chaos, 10);
        assert_eq!(chaos.tenant.alerts().len(), 43);
        let lines: Vec<String> = chaos.log().iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("#1 before endpoints/get_endpoint: alert-added"));
    }
}
