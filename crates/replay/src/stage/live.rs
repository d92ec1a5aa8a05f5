//! The answers that mocks give: as recorded, or with the identifiers of this run.

use crate::shelf::Shelf;
use rehearsal_compare::Renaming;
use rehearsal_model::{Failure, stream};
use rehearsal_wire::Answer;
use std::borrow::Cow;

/// The answer of an exchange as it was recorded.
pub(crate) fn answer_of(exchange: &rehearsal_model::Exchange) -> Answer {
    match (&exchange.response, exchange.failure) {
        (Some(response), None) => Answer::Response(response.clone()),
        (Some(response), Some(failure)) => Answer::Broken(response.clone(), failure),
        (None, failure) => Answer::Failure(failure.unwrap_or(Failure::Closed)),
    }
}

/// A recorded answer with the identifiers of this run, which the app is told by it.
pub(super) fn live_answer(shelf: &Shelf, mock: u32, renaming: &mut Renaming) -> Answer {
    let mut answer = answer_of(shelf.exchange(mock));
    if let Answer::Response(response) | Answer::Broken(response, _) = &mut answer
        && shelf.may_be_renamed(mock)
    {
        if let Cow::Owned(live) = renaming.to_live(response) {
            *response = live;
        }
        match stream::conversation(response) {
            Some(_) => renaming.tell_conversation(response),
            None => renaming.tell(response),
        }
    }
    answer
}
