//! Counts what an instance uses, step by step, and knows when a limit is reached.
//!
//! Processor time is measured around each poll of the instance: epochs make a busy guest yield, so even one that never waits
//! is polled anew every few milliseconds. (Epochs themselves are a poor meter: a whole tick is charged after every await.)

use super::limits::{LimitReached, Limits};
use super::processor::thread_time;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Tells how long requests were held back so far, by the API's budgets or while an attempt waited to be repeated: at least one of
/// them, on the clock. That time is not the guest's.
pub type HeldBack = Box<dyn Fn() -> Duration + Send + Sync>;

/// Shared between an instance's imports and the guard around its calls.
pub struct Meter {
    limits: Limits,
    held_back: HeldBack,
    step: Mutex<StepUse>,
    memory: AtomicU64,
    memory_peak: AtomicU64,
    /// Elements of all tables.
    tables: AtomicU64,
    sync_requests: AtomicU64,
    made: Instant,
}

#[derive(Debug)]
struct StepUse {
    /// None between two steps, when the guest is not asked for anything.
    started: Option<Instant>,
    cpu: Duration,
    /// What [`HeldBack`] told when the step began.
    held_back: Duration,
    requests: u64,
    response_bytes: u64,
    log_lines: u64,
    host_calls: u64,
    reached: Option<LimitReached>,
}

impl StepUse {
    const fn idle() -> Self {
        Self {
            started: None,
            cpu: Duration::ZERO,
            held_back: Duration::ZERO,
            requests: 0,
            response_bytes: 0,
            log_lines: 0,
            host_calls: 0,
            reached: None,
        }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter")
            .field("limits", &self.limits)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

/// What to do with a line of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogVerdict {
    /// Write it.
    Write,
    /// It is the first one too many: say that further lines are dropped.
    LastStraw,
    /// Drop it.
    Drop,
}

impl Meter {
    /// A meter at rest, of an instance whose requests are never held back.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with(limits, Box::new(|| Duration::ZERO))
    }

    /// A meter at rest.
    #[must_use]
    pub fn with(limits: Limits, held_back: HeldBack) -> Self {
        Self {
            limits,
            held_back,
            step: Mutex::new(StepUse::idle()),
            memory: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            tables: AtomicU64::new(0),
            sync_requests: AtomicU64::new(0),
            made: Instant::now(),
        }
    }

    /// The limits that it holds to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn step(&self) -> std::sync::MutexGuard<'_, StepUse> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step begins: all counts per step start anew.
    pub fn begin_step(&self) {
        let mut step = self.step();
        let reached = step.reached.take();
        *step = StepUse::idle();
        step.reached = reached;
        step.held_back = (self.held_back)();
        step.started = Some(Instant::now());
    }

    /// The step has ended; time does not count until the next.
    pub fn end_step(&self) {
        self.step().started = None;
    }

    /// One more call from the guest to the host.
    pub fn host_call(&self) -> Result<(), LimitReached> {
        let mut step = self.step();
        step.host_calls += 1;
        let over = step.host_calls > self.limits.step_host_calls;
        self.judge(&mut step, over, "step-host-calls")
    }

    /// One more request.
    pub fn request(&self) -> Result<(), LimitReached> {
        let total = self.sync_requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut step = self.step();
        step.requests += 1;
        if total > self.limits.sync_requests {
            return self.judge(&mut step, true, "sync-requests");
        }
        let over = step.requests > self.limits.step_requests;
        self.judge(&mut step, over, "step-requests")
    }

    /// Requests of all steps so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.sync_requests.load(Ordering::Relaxed)
    }

    /// Bytes of a reply were read.
    pub fn response_bytes(&self, bytes: usize) -> Result<(), LimitReached> {
        let mut step = self.step();
        step.response_bytes += bytes as u64;
        let over = step.response_bytes > self.limits.step_response_mib << 20;
        self.judge(&mut step, over, "step-response")
    }

    /// A line of log is to be written.
    pub fn log_line(&self) -> LogVerdict {
        let mut step = self.step();
        step.log_lines += 1;
        match step.log_lines.cmp(&(self.limits.step_log_lines + 1)) {
            std::cmp::Ordering::Less => LogVerdict::Write,
            std::cmp::Ordering::Equal => LogVerdict::LastStraw,
            std::cmp::Ordering::Greater => LogVerdict::Drop,
        }
    }

    /// Linear memory grows to `bytes`; refused beyond the limit.
    pub fn memory(&self, bytes: usize) -> Result<(), LimitReached> {
        let bytes = bytes as u64;
        if bytes > self.limits.memory_mib << 20 {
            return self.judge(&mut self.step(), true, "memory");
        }
        self.memory.store(bytes, Ordering::Relaxed);
        self.memory_peak.fetch_max(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// A table grows by so many elements; refused where all tables together would go beyond the limit.
    pub fn table(&self, elements: usize) -> Result<(), LimitReached> {
        let all = self.tables.fetch_add(elements as u64, Ordering::Relaxed) + elements as u64;
        let over = all > self.limits.table_elements;
        self.judge(&mut self.step(), over, "table-elements")
    }

    /// Linear memory in use, in bytes.
    #[must_use]
    pub fn memory_in_use(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// The most linear memory that was in use, in bytes.
    #[must_use]
    pub fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    /// The limit that ended the instance, if one did.
    #[must_use]
    pub fn reached(&self) -> Option<LimitReached> {
        self.step().reached.clone()
    }

    fn judge(
        &self,
        step: &mut StepUse,
        over: bool,
        name: &'static str,
    ) -> Result<(), LimitReached> {
        if over {
            let reached = LimitReached::of(&self.limits, name);
            step.reached = Some(reached.clone());
            Err(reached)
        } else {
            Ok(())
        }
    }

    /// Counts between two steps as well, to the last: what is left to do there is little, unless someone hides there.
    fn spent(&self, cpu: Duration) -> Result<(), LimitReached> {
        let mut step = self.step();
        step.cpu += cpu;
        let over = step.cpu > Duration::from_millis(self.limits.step_cpu_ms);
        self.judge(&mut step, over, "step-cpu")
    }

    /// Looks at the clock: at the running step's time (none runs between steps), and at the instance's. The latter goes on while requests are held
    /// back: a component that declares a budget of one request in a hundred years must not wait for the second.
    fn on_time(&self, now: Instant) -> Result<(), LimitReached> {
        let mut step = self.step();
        let held_back = (self.held_back)().saturating_sub(step.held_back);
        let allowed = Duration::from_secs(self.limits.step_wall_s).saturating_add(held_back);
        let took = |since: Instant| now.saturating_duration_since(since);
        if step.started.is_some_and(|started| took(started) >= allowed) {
            return self.judge(&mut step, true, "step-wall");
        }
        let life = Duration::from_secs(self.limits.sync_wall_h.saturating_mul(3_600));
        let over = step.started.is_some() && took(self.made) >= life;
        self.judge(&mut step, over, "sync-wall")
    }
}

/// Holds a future that runs an instance to its meter: on the processor and on the clock.
///
/// It stands outside `run_concurrent`: a deadline inside never fires on a guest that spins.
pub struct Guarded<'a, F> {
    inner: Pin<Box<F>>,
    meter: &'a Meter,
    alarm: Pin<Box<Sleep>>,
}

/// How often the clock is looked at while the guest waits.
const GLANCE: Duration = Duration::from_millis(500);

impl<'a, F> Guarded<'a, F> {
    /// Guards `inner`.
    pub fn new(inner: F, meter: &'a Meter) -> Self {
        Self {
            inner: Box::pin(inner),
            meter,
            alarm: Box::pin(tokio::time::sleep(GLANCE)),
        }
    }
}

impl<F: Future> Future for Guarded<'_, F> {
    type Output = Result<F::Output, LimitReached>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let before = thread_time();
        if let Poll::Ready(output) = this.inner.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if let Err(reached) = this.meter.spent(thread_time().saturating_sub(before)) {
            return Poll::Ready(Err(reached));
        }
        loop {
            let now = Instant::now();
            if let Err(reached) = this.meter.on_time(now) {
                return Poll::Ready(Err(reached));
            }
            if this.alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.alarm.as_mut().reset(now + GLANCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Meter {
        Meter::new(Limits {
            step_requests: 2,
            step_log_lines: 1,
            step_wall_s: 10,
            ..Limits::default()
        })
    }

    #[test]
    fn the_third_request_of_a_step_is_one_too_many_and_a_new_step_starts_anew() {
        let meter = small();
        meter.begin_step();
        assert!(meter.request().is_ok());
        assert!(meter.request().is_ok());
        assert_eq!(meter.request().unwrap_err().name, "step-requests");
        meter.begin_step();
        assert!(meter.request().is_ok());
        assert_eq!(meter.reached().unwrap().name, "step-requests");
    }

    #[test]
    fn the_requests_of_all_steps_are_counted_together() {
        let meter = Meter::new(Limits {
            sync_requests: 3,
            ..Limits::default()
        });
        for _ in 0..3 {
            meter.begin_step();
            assert!(meter.request().is_ok());
        }
        meter.begin_step();
        assert_eq!(meter.request().unwrap_err().name, "sync-requests");
    }

    #[test]
    fn a_flood_of_lines_is_announced_once_and_dropped() {
        let meter = small();
        meter.begin_step();
        let verdicts: Vec<_> = (0..4).map(|_| meter.log_line()).collect();
        assert_eq!(
            verdicts,
            [
                LogVerdict::Write,
                LogVerdict::LastStraw,
                LogVerdict::Drop,
                LogVerdict::Drop
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_waits_too_long_ends_with_the_limits_name() {
        let meter = small();
        meter.begin_step();
        let reached = Guarded::new(std::future::pending::<()>(), &meter)
            .await
            .unwrap_err();
        assert_eq!(reached.name, "step-wall");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_the_apis_budgets_does_not_count() {
        // Held back since the first moment, and still so: the clock of the step stands.
        let began = Instant::now();
        let meter = Meter::with(small().limits, Box::new(move || began.elapsed()));
        meter.begin_step();
        let slow = tokio::time::sleep(Duration::from_secs(30));
        assert!(Guarded::new(slow, &meter).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn being_held_back_ends_with_the_syncs_time() {
        let began = Instant::now();
        let meter = Meter::with(small().limits, Box::new(move || began.elapsed()));
        meter.begin_step();
        let reached = Guarded::new(std::future::pending::<()>(), &meter)
            .await
            .unwrap_err();
        assert_eq!(reached.name, "sync-wall");
    }

    #[tokio::test]
    async fn what_is_computed_between_two_steps_counts() {
        let meter = Meter::new(Limits {
            step_cpu_ms: 1,
            ..Limits::default()
        });
        meter.begin_step();
        meter.end_step();
        let busy = std::future::poll_fn(|context| {
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_millis(2) {}
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let reached = Guarded::new(busy, &meter).await.unwrap_err();
        assert_eq!(reached.name, "step-cpu");
    }

    #[test]
    fn all_tables_are_counted_together() {
        let meter = small();
        assert!(meter.table(30_000).is_ok());
        assert_eq!(meter.table(30_000).unwrap_err().name, "table-elements");
    }

    #[tokio::test(start_paused = true)]
    async fn between_two_steps_time_does_not_count() {
        let meter = small();
        meter.begin_step();
        meter.end_step();
        let slow = tokio::time::sleep(Duration::from_secs(3_600));
        assert!(Guarded::new(slow, &meter).await.is_ok());
    }
}
