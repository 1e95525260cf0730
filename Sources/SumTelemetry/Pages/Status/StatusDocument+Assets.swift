// What the page has of its own. The hashes let browsers run and apply exactly these texts; a test holds them equal.
extension StatusDocument {
    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'sha256-\(scriptHash)'; style-src 'sha256-\(styleHash)'; connect-src 'self'; \
        img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    static let scriptHash = "SPNZjBPExcE6AyiUMEL/N8STCU8WMxpepUuh5qEi3+Y="
    static let styleHash = "mqCsIUwP06oTjceFFG9x6HC+vYXuUkz+DYZsHNKEeAQ="

    static let icon: HTML =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%230b6e8f'/%3E%3Cpath d='M11.5 5V3.5h-7L8 8l-3.5 4.5h7V11' fill='none' stroke='white' stroke-width='1.5'/%3E%3C/svg%3E"

    /// Asks for the page again, and puts its newer half in place of the older one, while somebody looks at it.
    static let script: HTML = """

        "use strict";
        const live = document.getElementById("live");
        let failed = null;
        function say(text, stale) {
          live.textContent = text;
          document.body.classList.toggle("stale", stale);
        }
        async function update() {
          if (!document.hidden) {
            try {
              const response = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(10000) });
              if (!response.ok) throw new Error(response.status);
              const page = new DOMParser().parseFromString(await response.text(), "text/html");
              const selection = getSelection();
              if (selection === null || selection.isCollapsed) {
                const scrolled = Array.from(document.querySelectorAll(".table"), (table) => table.scrollLeft);
                document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
                document.querySelectorAll(".table").forEach((table, index) => { table.scrollLeft = scrolled[index] || 0; });
              }
              failed = null;
              say("Live: updates every five seconds.", false);
            } catch {
              failed = failed || new Date();
              say("No answer since " + failed.toLocaleTimeString() + ".", true);
            }
          }
          setTimeout(update, 5000);
        }
        say("Live: updates every five seconds.", false);
        setTimeout(update, 5000);

        """

    static let style: HTML = """

        :root {
          color-scheme: light dark;
          --page: #f6f7f9; --card: #fff; --text: #1b2430; --quiet: #586473; --line: #dfe3e8; --accent: #0b6e8f;
          --good: #17693a; --good-back: #dcf2e4; --bad: #a4262c; --warn: #7a4a00; --warn-back: #fdebc8;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #12161b; --card: #1a2027; --text: #e4e8ed; --quiet: #9aa6b3; --line: #2d353f; --accent: #5cc0e0;
            --good: #86dba6; --good-back: #163823; --bad: #ff9a9a; --warn: #ffd38a; --warn-back: #41300d;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--page); color: var(--text);
          font: 0.9375rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
          font-variant-numeric: tabular-nums;
        }
        header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1.5rem; }
        h1 { margin: 0; font-size: 1.5rem; font-weight: 650; letter-spacing: -0.01em; }
        .version { color: var(--quiet); font-weight: 400; font-size: 1rem; letter-spacing: 0; }
        #live { margin: 0; color: var(--quiet); font-size: 0.8125rem; }
        .stale #live { color: var(--bad); font-weight: 600; }
        .stale main { opacity: 0.55; }
        .state { margin: 0.25rem 0 1.25rem; color: var(--quiet); }
        .pill { padding: 0.125rem 0.5rem; border-radius: 1rem; font-weight: 600; font-size: 0.8125rem; }
        .serving { color: var(--good); background: var(--good-back); }
        .draining { color: var(--warn); background: var(--warn-back); }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.75rem; margin: 0; }
        .tiles div, figure, section {
          background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem;
        }
        dt { color: var(--quiet); font-size: 0.8125rem; }
        .tiles div:first-child { grid-column: span 2; }
        dd { margin: 0; font-size: 1.375rem; line-height: 1.3; font-weight: 600; overflow-wrap: anywhere; }
        .charts, .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 0 0.75rem; }
        figure, section { margin: 0.75rem 0 0; min-width: 0; }
        figcaption { display: flex; justify-content: space-between; gap: 1rem; font-weight: 600; margin-bottom: 0.5rem; }
        .plot { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 0.5rem; }
        .scale, .times { display: flex; justify-content: space-between; color: var(--quiet); font-size: 0.75rem; line-height: 1; }
        .scale { flex-direction: column; text-align: right; min-width: 3rem; white-space: nowrap; }
        .times { grid-column: 2; }
        svg { width: 100%; height: 7.5rem; display: block; }
        .grid { stroke: var(--line); fill: none; vector-effect: non-scaling-stroke; }
        .line { stroke: var(--accent); stroke-width: 1.75; fill: none; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
        .area { fill: var(--accent); opacity: 0.13; }
        h2 { margin: 0 0 0.375rem; font-size: 0.9375rem; font-weight: 600; }
        h2 small { color: var(--quiet); font-weight: 400; font-size: 0.8125rem; margin-left: 0.25rem; }
        .table { overflow-x: auto; margin: 0 -1rem; padding: 0 1rem; }
        table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
        th { text-align: left; font-weight: 400; color: var(--quiet); font-size: 0.8125rem; white-space: nowrap; }
        th, td { padding: 0.25rem 1.25rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        th:last-child, td:last-child { padding-right: 0; }
        tbody tr:last-child td { border-bottom: 0; }
        td { overflow-wrap: anywhere; min-width: 7.5rem; }
        td:first-child { min-width: 11rem; }
        td.n { min-width: 0; }
        .n { text-align: right; white-space: nowrap; }
        .bad { color: var(--bad); font-weight: 600; }
        .none { margin: 0; color: var(--quiet); }
        footer { margin: 1.25rem 0 0.5rem; font-size: 0.8125rem; }
        nav a { color: var(--accent); margin-right: 1rem; }
        a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

        """
}
