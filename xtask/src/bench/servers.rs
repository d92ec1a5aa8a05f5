//! Database servers of a measurement's own: PostgreSQL and Redis on free ports, and HAProxy before
//! both. They hold nothing that must last, so nothing waits for the disk.

use super::process::{PATIENCE, Started, free_port};
use super::{Bench, tools};
use anyhow::{Context as _, ensure};
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where each server is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) postgres: u16,
    pub(crate) redis: u16,
}

/// The servers. They are stopped when this goes.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) direct: Reached,
    pub(crate) haproxy: Option<Reached>,
    pub(crate) versions: Vec<String>,
    _started: Vec<Started>,
}

/// The user of the databases.
pub(crate) const USER: &str = "bench";

impl Servers {
    pub(crate) fn start(bench: &Bench) -> anyhow::Result<Self> {
        let direct = Reached { postgres: free_port()?, redis: free_port()? };
        let programs = bench.tools.postgres().context("PostgreSQL is not installed")?;
        let redis = bench.tools.redis().context("Redis is not installed")?;
        let mut versions = vec![
            tools::version(&programs.join("postgres"), "--version"),
            tools::version(&redis, "--version"),
        ];
        let mut started =
            vec![postgres(bench, &programs, direct.postgres)?, serve(bench, &redis, direct.redis)?];
        let haproxy = match bench.tools.haproxy() {
            Some(program) => {
                versions.push(tools::version(&program, "-v"));
                let front = Reached { postgres: free_port()?, redis: free_port()? };
                started.push(before(bench, &program, front, direct)?);
                Some(front)
            }
            None => {
                versions.push("HAProxy is not installed: not measured".to_owned());
                None
            }
        };
        Ok(Servers { direct, haproxy, versions, _started: started })
    }
}

fn postgres(bench: &Bench, programs: &Path, port: u16) -> anyhow::Result<Started> {
    let folder = bench.folder().join("postgres");
    std::fs::create_dir(&folder)?;
    let user = server_user()?;
    if let Some((user, group)) = user {
        // It must get to its own folder.
        std::fs::set_permissions(bench.folder(), Permissions::from_mode(0o711))?;
        chown(&folder, Some(user), Some(group))?;
    }
    let own = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.arg("-D").arg(folder.join("data")).current_dir(&folder);
        if let Some((user, group)) = user {
            command.gid(group).uid(user);
        }
        command
    };
    let mut make = own("initdb");
    make.args(["-A", "trust", "-U", USER, "--no-sync"]).stdout(Stdio::null());
    tools::run(&mut make)?;
    let mut server = own("postgres");
    server.args(["-p", &port.to_string(), "-h", "127.0.0.1", "-c", "unix_socket_directories="]);
    server.args(["-c", "fsync=off", "-c", "max_connections=100"]);
    let mut started = Started::new(bench.folder(), "postgres", &mut server)?;
    started.listening(port)?;
    fill(programs, port)?;
    Ok(started)
}

/// Makes pgbench's tables. A server that listens may still be starting.
fn fill(programs: &Path, port: u16) -> anyhow::Result<()> {
    let address = ["-h", "127.0.0.1", "-U", USER, "-p"];
    let port = port.to_string();
    let mut ready = Command::new(programs.join("pg_isready"));
    ready.args(address).arg(&port).args(["-t", "30"]).stdout(Stdio::null());
    let began = Instant::now();
    // One that is starting says no at once.
    while let Err(problem) = tools::run(&mut ready) {
        ensure!(began.elapsed() < PATIENCE, "{problem}");
    }
    let mut fill = Command::new(programs.join("pgbench"));
    fill.args(address).arg(&port).args(["-i", "-q", "-s", "1", "postgres"]);
    let filled = fill.stdin(Stdio::null()).output().context("failed to start pgbench")?;
    ensure!(filled.status.success(), "pgbench: {}", String::from_utf8_lossy(&filled.stderr));
    Ok(())
}

/// As whom PostgreSQL runs when this is run by root, whom it does not serve.
fn server_user() -> anyhow::Result<Option<(u32, u32)>> {
    // SAFETY: it only reads the id of this process.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line.context("there is no user postgres")?.split(':').skip(2);
    let mut id = || fields.next().and_then(|field| field.parse().ok());
    Ok(Some((id().context("no user id")?, id().context("no group id")?)))
}

fn serve(bench: &Bench, program: &PathBuf, port: u16) -> anyhow::Result<Started> {
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    command.args(["--appendonly", "no", "--dir"]).arg(bench.folder());
    let mut started = Started::new(bench.folder(), "redis", &mut command)?;
    started.listening(port)?;
    Ok(started)
}

fn before(
    bench: &Bench,
    program: &Path,
    front: Reached,
    servers: Reached,
) -> anyhow::Result<Started> {
    let mut settings = String::from(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 5m\n  timeout server 5m\n",
    );
    for (from, to) in [(front.postgres, servers.postgres), (front.redis, servers.redis)] {
        writeln!(
            settings,
            "listen from-{from}\n  bind 127.0.0.1:{from}\n  server to 127.0.0.1:{to}"
        )?;
    }
    let file = bench.folder().join("haproxy-databases.cfg");
    std::fs::write(&file, settings)?;
    let mut command = Command::new(program);
    command.args(["-db", "-f"]).arg(file);
    let mut started = Started::new(bench.folder(), "haproxy-databases", &mut command)?;
    started.listening(front.redis)?;
    Ok(started)
}
