//! Time on the processor: how long the calling thread has run so far. On a machine that has much to do, the clock on the wall would charge a component
//! for the others' work.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long this thread has been on a processor. Only the difference between two calls on one thread means something.
pub(crate) fn thread_time() -> Duration {
    of_the_system().unwrap_or_else(|| {
        // Where the system does not tell, the wall's clock is the best there is.
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    })
}

#[cfg(unix)]
fn of_the_system() -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    #[expect(unsafe_code, reason = "the standard library does not offer this clock")]
    // SAFETY: the call writes to the place that it is given, which lives longer than it.
    let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if told != 0 {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(unix))]
fn of_the_system() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_and_waiting_takes_less_than_it_lasts() {
        let before = thread_time();
        let mut n = 0_u64;
        while thread_time() - before < Duration::from_millis(5) {
            n = std::hint::black_box(n + 1);
        }
        assert!(n > 0);
        // Not on the processor: another thread is.
        let began = Instant::now();
        let before = thread_time();
        let worked = std::thread::spawn(|| {
            let before = thread_time();
            while thread_time() - before < Duration::from_millis(20) {}
        });
        worked.join().unwrap();
        assert!(thread_time() - before < began.elapsed());
    }
}
