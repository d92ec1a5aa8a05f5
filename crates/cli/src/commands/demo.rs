//! `rehearsal demo`: the whole loop on a sample shop that is inside the binary.

use super::record::summary;
use crate::arguments::{Color, Demo};
use crate::demo::http::call;
use crate::demo::services::Services;
use crate::error::{CliError, Outcome};
use crate::outputs::Outputs;
use crate::{environment, look, selection};
use hyper::Method;
use rehearsal_capture::{Strategy, Way};
use rehearsal_model::{Map, RunEvent, Value};
use rehearsal_record::{Ends, Progress, RecordOptions, Recorded, record};
use rehearsal_replay::{ReplayOptions, Selected, Spread};
use rehearsal_store::Project;
use rehearsal_supervise::{Output, Program};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// The name of the demonstration's recording.
const NAME: &str = "demo";

pub(super) fn run(arguments: Demo, color: Color) -> Result<Outcome, CliError> {
    let folder = Folder::create(arguments.keep)?;
    let mut project = Project::open(folder.path())?;
    super::print(INTRODUCTION)?;
    super::print(
        "\n1. Record the shop while it is used\n   $ rehearsal record --name demo -- ./shop\n",
    )?;
    let began = Instant::now();
    let (recorded, env) = super::runtime()?.block_on(record_shop(&mut project))?;
    folder.keep_settings(&env)?;
    let look = look::stdout(color, false);
    super::print(&indent(&summary(&recorded, NAME, began, look)))?;
    super::print("\n2. Test it, with both services stopped\n   $ rehearsal test demo\n")?;
    let good = test_shop(&project, &env, "", color)?;
    super::print(
        "\n3. Break it: a change makes every order a cent too dear\n   \
         $ rehearsal test demo -- ./shop-with-a-bug\n",
    )?;
    let bad = test_shop(&project, &env, "wrong_total", color)?;
    if good != Outcome::Good || bad != Outcome::TestsFailed {
        let text = "show the demonstration as it should be; `rehearsal doctor` may say why";
        return Err(CliError::Wrong(text.to_owned()));
    }
    super::print(&ending(&folder))?;
    Ok(Outcome::Good)
}

const INTRODUCTION: &str = "\
The sample is a small web shop. It calls two services: an inventory and a payment provider.
Nothing in it knows of Rehearsal.
";

fn ending(folder: &Folder) -> String {
    let kept = match folder {
        Folder::Kept(path) => format!(
            "\nThe recording is in {0}. Try `rehearsal test -C {0}` and `rehearsal show -C {0} demo 2`.\n",
            path.display()
        ),
        Folder::Gone(_) => {
            "\nKeep the recording next time by `rehearsal demo --keep <folder>`.\n".to_owned()
        }
    };
    format!(
        "\nThat failure is the point: it names the call, the field, what was recorded and what came.\
         \nNow yours:  rehearsal record -- <the command that starts your app>\n{kept}"
    )
}

/// Where the demonstration takes place.
enum Folder {
    Kept(PathBuf),
    Gone(tempfile::TempDir),
}

impl Folder {
    fn create(keep: Option<PathBuf>) -> Result<Self, CliError> {
        match keep {
            Some(path) => {
                let doing = format!("create {}", path.display());
                std::fs::create_dir(&path).map_err(CliError::io(doing))?;
                Ok(Folder::Kept(path))
            }
            None => tempfile::tempdir()
                .map(Folder::Gone)
                .map_err(CliError::io("create a temporary folder")),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Folder::Kept(path) => path,
            Folder::Gone(folder) => folder.path(),
        }
    }

    /// Writes what the shop needs beside a recording that stays, so that it can be tested later.
    fn keep_settings(&self, env: &Env) -> Result<(), CliError> {
        let Folder::Kept(path) = self else { return Ok(()) };
        let mut text = String::from("# Where the sample shop looks for its services.\nenv:\n");
        for (name, value) in env {
            text.push_str(&format!("  {name}: \"{value}\"\n"));
        }
        let path = path.join("rehearsal.yaml");
        let doing = format!("write {}", path.display());
        std::fs::write(path, text).map_err(CliError::io(doing))
    }
}

type Env = Vec<(String, String)>;

/// Records the shop while its services run and a customer uses it.
async fn record_shop(project: &mut Project) -> Result<(Recorded, Env), CliError> {
    let services = Services::start().await.map_err(CliError::io("start the sample's services"))?;
    let env = vec![
        ("INVENTORY_URL".to_owned(), services.inventory.clone()),
        ("PAYMENTS_URL".to_owned(), services.payments.clone()),
        ("PORT".to_owned(), "0".to_owned()),
    ];
    environment::name_edges(project.settings_mut(), env.iter().cloned());
    let options = RecordOptions {
        keylog: None,
        name: NAME.to_owned(),
        append: false,
        program: shop(&env, ""),
        way: Way::Supervisor(Strategy::Auto),
        serialize: false,
        ends: Ends::default(),
        tests: None,
        keep: None,
        rotate: None,
    };
    let (progress, mut seen) = watch::channel(Progress::default());
    let mut used = Ok(());
    let customer = async {
        let listens = seen.wait_for(|progress| !progress.listening.is_empty()).await;
        let Ok(at) = listens.map(|progress| progress.listening[0].clone()) else { return };
        used = use_shop(&at).await;
    };
    let recorded = record(project, options, progress, customer).await?;
    used.map_err(CliError::io("use the sample shop"))?;
    Ok((recorded, env))
}

/// What the customer does.
async fn use_shop(at: &str) -> io::Result<()> {
    call(at, Method::GET, "/products/A1", None).await?;
    let order = |sku: &str, quantity: i32| {
        Map::from([("sku", Value::from(sku)), ("quantity", quantity.into())])
    };
    call(at, Method::POST, "/orders", Some(order("A1", 2))).await?;
    call(at, Method::POST, "/orders", Some(order("B2", 1))).await?;
    call(at, Method::GET, "/products/C3", None).await?;
    Ok(())
}

fn test_shop(project: &Project, env: &Env, bug: &str, color: Color) -> Result<Outcome, CliError> {
    let mut selected = Vec::new();
    for chosen in selection::choose(project, &[], &[])? {
        let selection::Chosen { name, recording, tests, files } = chosen;
        selected.push(Selected {
            name,
            recording,
            tests,
            files,
            groups: Vec::new(),
            known: BTreeMap::new(),
            program: shop(env, bug),
        });
    }
    let options = ReplayOptions {
        settings: project.settings().clone(),
        scrubber: Arc::new(project.scrubber()?),
        way: Way::Supervisor(Strategy::Auto),
        strict: false,
        explain: false,
        go_on: false,
        fail_fast: false,
        spread: Spread::default(),
    };
    let mut outputs = Outputs::human(color);
    super::test::drive(selected, &options, &mut |event: RunEvent| outputs.tell(&event))
}

fn shop(env: &Env, bug: &str) -> Program {
    let mut env: Vec<_> = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    env.push(("BUG".into(), bug.into()));
    let words = vec!["/proc/self/exe".into(), "demo-shop".into()];
    Program { words, env, output: Output::Keep, ..Program::default() }
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("   {line}\n") })
        .collect()
}
