//! What an expression gives at a place of the record.

use super::apply::Run;
use super::frames::Frames;
use super::places::Whereabouts;
use super::plan::Expression;
use super::value::Value;

/// What became of reading a value.
pub(super) enum Got<'r> {
    Value(Value<'r>),
    /// There is none, and the rule has no default.
    Absent,
    /// The rule's condition does not hold.
    Unasked,
    /// There is one that can't be carried; the problem is told.
    Bad,
}

impl<'r> Run<'_, 'r> {
    /// What an expression gives at this place: values of lists below it are gathered into one list.
    pub(super) fn value(&mut self, expression: &Expression, frames: &mut Frames<'r>) -> Got<'r> {
        let mut raw = None;
        let mut unasked = false;
        let mut bad = false;
        match &expression.source {
            None => unasked = !frames.holds(expression),
            Some(source) if frames.depth() >= source.lists.len() => {
                unasked = !frames.holds(expression);
                if !unasked {
                    match frames.read(source) {
                        Ok(value) => raw = value,
                        Err(error) => {
                            self.wrong(error);
                            bad = true;
                        }
                    }
                }
            }
            Some(_) => {
                let mut values = Vec::new();
                let found = self.gather(expression, frames, &mut values, &mut bad);
                if found || !values.is_empty() {
                    raw = Some(Value::List(values));
                }
            }
        }
        if unasked {
            return Got::Unasked;
        }
        if let Some(constant) = &expression.constant {
            let read = expression
                .source
                .as_ref()
                .is_some_and(|source| !source.tails.is_empty());
            raw = (!read || raw.is_some()).then(|| constant.clone());
        }
        if let Some(mut value) = raw {
            let places = Whereabouts::new(expression, frames);
            for (done, conversion) in expression.conversions.iter().enumerate() {
                value = conversion.apply(value, &mut |item, reason| {
                    self.problems.tell(places.pointer(item, done), reason);
                    bad = true;
                });
            }
            // Of a list that can't be read nothing is known, not even that it is empty.
            let nothing = match &value {
                Value::List(items) => bad && items.iter().all(Value::is_absent),
                value => value.is_absent(),
            };
            if !nothing {
                return Got::Value(value);
            }
        }
        match &expression.default {
            _ if bad => Got::Bad,
            Some(default) => Got::Value(default.clone()),
            None => Got::Absent,
        }
    }

    /// Collects what an expression reads in all lists below this place; tells whether there was a list at all.
    fn gather(
        &mut self,
        expression: &Expression,
        frames: &mut Frames<'r>,
        into: &mut Vec<Value<'r>>,
        bad: &mut bool,
    ) -> bool {
        let Some(source) = &expression.source else {
            return false;
        };
        if frames.depth() >= source.lists.len() {
            if frames.holds(expression) {
                match frames.read(source) {
                    Ok(value) => into.extend(value),
                    Err(error) => {
                        self.wrong(error);
                        *bad = true;
                    }
                }
            }
            return true;
        }
        match frames.items(source) {
            Ok(None) => false,
            Ok(Some(items)) => {
                for (index, item) in items.iter().enumerate() {
                    frames.enter(item, index);
                    self.gather(expression, frames, into, bad);
                    frames.leave();
                }
                true
            }
            Err(error) => {
                self.wrong(error);
                *bad = true;
                false
            }
        }
    }
}
