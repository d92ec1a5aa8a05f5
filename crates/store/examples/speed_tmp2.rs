//! tmp
use rehearsal_store::yaml;
use rehearsal_model::Value;
use std::time::Instant;
use std::io::Write;
fn main() {
    let mut out = std::io::stdout().lock();
    for (name, text) in [
        ("maps", "a: b\n".repeat(200_000)), ("flow", "[".repeat(1<<20)), ("quotes", "\"".repeat(1<<20)), ("anchors", "&a ".repeat(300_000)),
        ("dash", "- ".repeat(500_000)), ("bang", "!".repeat(1<<20)), ("q", "? ".repeat(500_000)), ("plain", "a ".repeat(500_000)), ("colon", "a:".repeat(500_000)),
        ("flowmap", format!("{{{}}}", "a: 1, ".repeat(150_000))), ("flowlist", format!("[{}]", "1, ".repeat(300_000))), ("keys", format!("[{}]", "a: 1, ".repeat(150_000))),
        ("literal", format!("a: |\n{}", "  x\n".repeat(250_000))), ("blank", "\n".repeat(1<<20)), ("spaces", " ".repeat(1<<20)), ("hash", "#".repeat(1<<20)), ("comments", "# x\n".repeat(250_000)),
        ("dq", format!("a: \"{}\"", "x\n ".repeat(300_000))), ("sq", format!("a: '{}'", "''".repeat(500_000))), ("tags", "%TAG ! x\n".repeat(100_000)), ("docs", "---\n".repeat(250_000)), ("nested", (0..140).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>()),
        ("longkey", format!("{}: 1", "k".repeat(1<<20))), ("longq", format!("? {}\n: 1", "k".repeat(1<<20))), ("uplain", "é".repeat(1<<19)), ("tabs", "\t".repeat(1<<20)), ("colonflow", format!("{{{}", "::".repeat(500_000))), ("qflow", format!("[{}", "? ".repeat(300_000))),
        ("listlong", "- a\n".repeat(250_000)), ("flowmulti", format!("[{}]", "a\n ,".repeat(200_000))), ("bigplain", format!("a: {}", "x\n  ".repeat(250_000))),
    ] {
        let t = Instant::now();
        let r = yaml::parse(&text);
        let e = t.elapsed();
        let _ = writeln!(out, "{name} {} bytes {e:?} {}", text.len(), r.err().map(|e| e.to_string().chars().take(90).collect::<String>()).unwrap_or_default());
    }
    // mutations
    let seeds: Vec<String> = std::fs::read_dir("/dev/shm/seeds").unwrap().map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap()).collect();
    let mut x = 88172645463325252u64;
    let mut rnd = move || { x ^= x << 13; x ^= x >> 7; x ^= x << 17; x };
    let bits: Vec<&str> = vec!["\n", " ", "  ", "-", "- ", ":", ": ", "?", "[", "]", "{", "}", ",", "&a", "*a", "!", "!!", "!x", "|", ">", "|2-", "'", "\"", "\\", "\\x", "#", " #", "%", "@", "`", "\t", "\r", "\r\n", "---", "...", "\u{feff}", "é", "\u{2028}", "0", "~", "<<", "!<", "%YAML 1.2\n", "%TAG ! y\n"];
    let t = Instant::now();
    let (mut ok, mut bad, mut rt) = (0, 0, 0);
    while t.elapsed().as_secs() < 60 {
        let mut s: Vec<char> = seeds[(rnd() % seeds.len() as u64) as usize].chars().collect();
        for _ in 0..1 + rnd() % 6 {
            let at = (rnd() % (s.len() as u64 + 1)) as usize;
            match rnd() % 3 {
                0 => { let end = (at + (rnd() % 10) as usize).min(s.len()); s.drain(at..end); }
                _ => { let b = bits[(rnd() % bits.len() as u64) as usize]; s.splice(at..at, b.chars()); }
            }
        }
        let s: String = s.into_iter().collect();
        match std::panic::catch_unwind(|| yaml::parse(&s)) {
            Err(_) => { let _ = writeln!(out, "PANIC on {s:?}"); }
            Ok(Err(_)) => bad += 1,
            Ok(Ok(node)) => {
                ok += 1;
                let v: Value = node.into_value();
                if let Ok(text) = yaml::to_string(&v) {
                    rt += 1;
                    match yaml::parse(&text) {
                        Ok(n) if n.clone().into_value() == v => {}
                        other => { let _ = writeln!(out, "MISMATCH {text:?} {:?}", other.err()); }
                    }
                }
            }
        }
    }
    let _ = writeln!(out, "ok {ok} bad {bad} round trips {rt}");
}
