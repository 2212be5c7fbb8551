"""A certificate as a page of its own: no scripts, nothing from elsewhere."""

from html import escape

from subwhisper.subtitles.check import Certificate, Finding, Verdict
from subwhisper.subtitles.formats.clock import clock

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
.pass { color: #06692d } .fail { color: #a4161a } .advice { color: #7a4b00 } .cause, .source { color: #555 }
td.number { text-align: right; font-variant-numeric: tabular-nums }
"""


def certificate_page(certificate: Certificate, name: str) -> str:
    """Write a certificate as HTML.

    Args:
        certificate: of the captions.
        name: what to call them: the name of their file.
    """
    state = "pass" if certificate.passes else "fail"
    words = "passes" if certificate.passes else "does not pass"
    summary = (
        f"{certificate.cues} cues, {certificate.rate:.1%} of them keep every required rule. "
        f"Language: {certificate.language}. "
        f"Frames: {f'{certificate.frame_rate:.6g} a second' if certificate.frame_rate else 'not known'}."
    )
    rows = "\n".join(_row(verdict) for verdict in certificate.verdicts)
    parts = "\n".join(_findings(verdict) for verdict in certificate.verdicts if verdict.findings)
    title = f"{escape(name)} {words} {escape(certificate.profile)}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1 class="{state}">{title}</h1>
<p>{escape(summary)}</p>
<p class="source">{escape(certificate.source)}</p>
<table>
<tr><th>Rule</th><th>Limit</th><th>Cues that break it</th><th>Pass rate</th></tr>
{rows}
</table>
{parts}
</body>
</html>
"""


def _row(verdict: Verdict) -> str:
    state = "pass" if not verdict.findings else "fail" if verdict.required else "advice"
    advice = "" if verdict.required else " (advice)"
    return (
        f'<tr><td class="{state}">{escape(verdict.title)}{advice}</td><td>{escape(verdict.limit)}</td>'
        f'<td class="number">{len(verdict.findings)}</td><td class="number">{verdict.rate:.1%}</td></tr>'
    )


def _findings(verdict: Verdict) -> str:
    rows = "\n".join(_finding(finding) for finding in verdict.findings)
    return (
        f"<h2>{escape(verdict.title)}: {escape(verdict.limit)}</h2>\n"
        f"<table>\n<tr><th>Cue</th><th>At</th><th>What</th><th>Text</th></tr>\n{rows}\n</table>"
    )


def _finding(finding: Finding) -> str:
    cause = f'<br><span class="cause">{escape(finding.cause)}</span>' if finding.cause else ""
    at = clock(finding.start_ms, point=".", hours=True)
    return (
        f'<tr><td class="number">{finding.cue}</td><td>{at}</td>'
        f"<td>{escape(finding.what)}{cause}</td><td><bdi>{escape(finding.text)}</bdi></td></tr>"
    )
