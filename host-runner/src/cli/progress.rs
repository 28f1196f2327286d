//! How far a sync has come: on a terminal a line with rate and remaining time, elsewhere nothing.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::human;
use super::output::Output;
use crate::pipeline::{Observer, Progress};

/// A line that is drawn anew with each step.
pub struct Line {
    bar: ProgressBar,
}

impl Line {
    /// A line on standard error, if that is a terminal and progress is wanted.
    pub fn new(output: &Output) -> Arc<Self> {
        let target = if output.style().progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style(
            "{spinner} {prefix}  {human_pos} records  {per_sec}  {elapsed}  {wide_msg}",
        ));
        bar.enable_steady_tick(Duration::from_millis(120));
        Arc::new(Self { bar })
    }

    /// Takes the line off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Observer for Line {
    fn step(&self, progress: &Progress) {
        if let Some(expected) = progress.expected
            && self.bar.length() != Some(expected)
        {
            self.bar.set_style(style(
                "{spinner} {prefix}  {human_pos} of {human_len} records  {per_sec}  {eta} left  {wide_msg}",
            ));
            self.bar.set_length(expected);
        }
        self.bar
            .set_prefix(format!("{} ({})", progress.stream, progress.mode));
        self.bar.set_position(progress.read);
        self.bar.set_message(
            progress
                .note
                .as_deref()
                .map(|note| human::plain(note).into_owned())
                .unwrap_or_default(),
        );
    }
}

/// The template is fixed, so that it can be read; the plain style is for the case that it can't.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::testing::{PIPE, captured};
    use crate::domain::{DataStreamName, Ledger, Mode};

    #[test]
    fn nothing_is_drawn_in_a_pipe_and_each_step_moves_the_line() {
        let (output, out, err) = captured(PIPE);
        let line = Line::new(&output);
        line.step(&Progress {
            stream: DataStreamName::new("endpoints").unwrap(),
            mode: Mode::Full,
            read: 300,
            expected: Some(1_000),
            note: Some("reading".to_owned()),
            ledger: Ledger::default(),
        });
        assert_eq!((line.bar.position(), line.bar.length()), (300, Some(1_000)));
        assert_eq!(line.bar.prefix(), "endpoints (full)");
        line.clear();
        assert_eq!(out.text() + &err.text(), "");
    }
}
