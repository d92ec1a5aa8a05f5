//! Finds out why tests failed beside other copies of the app, or out of order, that passed in recorded
//! order: each is tried again on fresh copies, as far as that is worth it.

use crate::ReplayError;
use crate::cause::{Cause, cause};
use crate::crew::Part;
use crate::scene::Scene;
use crate::theatre::{Copy, House, Performed};
use rehearsal_model::{RetryCause, RunEvent, TestId};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many copies of the app are started for this at most.
const MOST_COPIES: usize = 60;
/// How long is spent on it at most: what began before is brought to its end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A test that failed.
pub(crate) struct Suspect {
    pub(crate) id: TestId,
    /// Whose part it was in.
    pub(crate) part: usize,
    pub(crate) performed: Performed,
}

/// What has been spent.
struct Budget {
    copies: Cell<usize>,
    began: Instant,
}

/// Tells of each test that passed in recorded order why it had failed.
pub(crate) async fn explain(
    house: &Arc<House>,
    parts: &[Part],
    suspects: Vec<Suspect>,
    tell: &mut crate::roll::Tell<'_>,
) {
    let budget = Budget { copies: Cell::new(0), began: Instant::now() };
    for Suspect { id, part, performed } in suspects {
        let found = look_into(house, &parts[part], id, &budget).await;
        let Cause { cause, depends_on } = found.unwrap_or(Cause::UNEXPLAINED);
        let depends_on = depends_on.filter(|_| cause == RetryCause::OrderDependent);
        let (recording, name) = (house.name.clone(), house.shelf.name(id));
        let findings = performed.findings;
        tell(RunEvent::Retried { recording, number: id, name, cause, depends_on, findings });
    }
}

/// Why nothing was found out.
enum Stop {
    /// It is not worth more.
    Spent,
    /// A copy did not come up, or ended.
    Copy,
}

impl From<ReplayError> for Stop {
    fn from(_: ReplayError) -> Self {
        Stop::Copy
    }
}

async fn look_into(
    house: &Arc<House>,
    part: &Part,
    id: TestId,
    budget: &Budget,
) -> Result<Cause, Stop> {
    if budget.began.elapsed() > PATIENCE {
        return Err(Stop::Spent);
    }
    let place = house.place(id);
    let earlier = part.tests.iter().map(|test| house.place(*test));
    let before: BTreeSet<usize> = earlier.filter(|test| *test < place).collect();
    let all: BTreeSet<usize> = (0..place).collect();
    let passes = async |tests: &BTreeSet<usize>| {
        budget.copies.set(budget.copies.get() + 1);
        match budget.copies.get() > MOST_COPIES {
            true => Err(Stop::Spent),
            false => passes_after(house, tests, id).await,
        }
    };
    let known = house.known.get(&id).map(|test| house.place(*test));
    cause(&before, &all, known, |place| house.tests[place], passes).await
}

/// Whether a test passes after others on a copy of its own.
async fn passes_after(
    house: &Arc<House>,
    tests: &BTreeSet<usize>,
    id: TestId,
) -> Result<bool, Stop> {
    let own_scene = house.scenes(&house.tests).into_iter().find(|it| it.tests().any(|it| it == id));
    let own: Vec<TestId> = own_scene.iter().flat_map(Scene::tests).collect();
    let mut theatre = house.open(Copy::alone()).await?;
    let tests: Vec<TestId> = tests.iter().map(|place| house.tests[*place]).collect();
    let mut alive = true;
    for scene in house.scenes(&tests) {
        // What is played with the test comes with it.
        if scene.tests().any(|test| own.contains(&test)) {
            continue;
        }
        alive = theatre.perform(&scene).await?.iter().all(|(_, it)| it.death.is_none());
        if !alive {
            break;
        }
    }
    let mut passed = false;
    if alive && let Some(scene) = own_scene {
        let performed = theatre.perform(&scene).await?;
        passed = performed.iter().any(|(test, performed)| *test == id && performed.passed());
    }
    theatre.close().await;
    if alive { Ok(passed) } else { Err(Stop::Copy) }
}
