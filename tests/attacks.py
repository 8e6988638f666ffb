"""Texts that try to be more than texts: each calls ``__pwn(n)`` if it gets to run, or would if somebody clicked or hovered."""

from itertools import product

_HANDLERS = ("onerror", "onload", "onclick", "onmouseover", "onfocus", "ontoggle", "onanimationstart", "onpointerenter")
_TAGS = (
    "<img src=x {handler}={call}>",
    "<svg {handler}={call}>",
    "<body {handler}={call}>",
    "<details open {handler}={call}>x</details>",
    "<input autofocus {handler}={call}>",
    "<video><source {handler}={call}></video>",
    "<audio src=x {handler}={call}>",
    "<marquee {handler}={call}>x</marquee>",
    '<a href=# tabindex=1 autofocus {handler}="{call}">x</a>',
    "<b style=animation-name:x {handler}={call}>x</b>",
)
_BREAKS = (
    "",
    '">',
    "'>",
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "-->",
    "]]>",
    "`}}",
    "</b></div></span>",
    "\\x3e",
)
_SCRIPTS = (
    "<script>{call}</script>",
    "<ScRiPt>{call}</sCrIpT>",
    "<svg><script>{call}</script></svg>",
    "<svg><script href=data:,{call} />",
    "<math><mtext><script>{call}</script></mtext></math>",
    '<iframe srcdoc="<script>parent.{call}</script>"></iframe>',
    "<object data='data:text/html,<script>parent.{call}</script>'></object>",
    "<embed src='javascript:{call}'>",
    "<template><script>{call}</script></template>",
    "<noscript><p title='</noscript><script>{call}</script>'>",
)
_SCHEMES = (
    "javascript:{call}",
    "JaVaScRiPt:{call}",
    "java\tscript:{call}",
    "java&#10;script:{call}",
    "&#106;avascript:{call}",
    "javascript&colon;{call}",
    " javascript:{call}",
    "\x01javascript:{call}",
    "vbscript:{call}",
    "data:text/html,<script>{call}</script>",
    "data:text/html;base64,PHNjcmlwdD5fX3B3bigpPC9zY3JpcHQ+",
    "blob:{call}",
)
_LINKS = (
    "[x]({link})",
    "![x]({link})",
    "[x]: {link}\n[x]",
    "<{link}>",
    '<a href="{link}">x</a>',
    "<form action='{link}'><button>x</button></form>",
    "<a xlink:href='{link}'>x</a>",
    "$\\href{{{link}}}{{x}}$",
)
_OTHERS = (
    "<style>*{display:none}</style>",
    "<style>@import 'http://tracker.example/x.css'</style>",
    "<link rel=stylesheet href=http://tracker.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://tracker.example/'>",
    "<base href=http://tracker.example/>",
    "<img src=http://tracker.example/p.png>",
    "![](http://tracker.example/p.png)",
    "![x](//tracker.example/p.png)",
    "www.tracker.example http://tracker.example/x mailto:x@tracker.example",
    "$\\unicode{x3c}script$ $$\\includegraphics{http://tracker.example/x.png}$$",
    ":red[x] :blue-background[x] :material/home: :streamlit:",
    "{{constructor.constructor('__pwn()')()}} ${__pwn()} #{__pwn()} <%= __pwn() %>",
    "# x\n\n---\n\n| a | b |\n|---|---|\n| <script>__pwn()</script> | x |",
    "```html\n<script>__pwn()</script>\n```\n<script>__pwn()</script>",
    "\u202e<script>__pwn()</script>\u202c",
    "<\u0000script>__pwn()</script>".replace("\u0000", ""),
    "＜script＞__pwn()＜/script＞",
    "%3Cscript%3E__pwn()%3C/script%3E",
    "&lt;script&gt;__pwn()&lt;/script&gt;",
    '{"__proto__": {"x": "<script>__pwn()</script>"}}',
    "x' onmouseover='__pwn()' y='",
    'x" autofocus onfocus="__pwn()" y="',
    '=HYPERLINK("javascript:__pwn()")',
    "<b>%{customdata}</b> %{text} <a href='javascript:__pwn()'>x</a><extra></extra>",
)


def attacks() -> list[str]:
    """Returns more than three hundred different ones, always the same, in an order that mixes their kinds."""
    found = [tag.format(handler=handler, call="{call}") for tag, handler in product(_TAGS, _HANDLERS)]
    found += [before + script for before, script in product(_BREAKS, _SCRIPTS)]
    found += [
        link.replace("{link}", scheme) if "{{" not in link else link.format(link=scheme)
        for link, scheme in product(_LINKS, _SCHEMES)
    ]
    found += _OTHERS
    numbered = [text.replace("{call}", f"__pwn({number})") for number, text in enumerate(found)]
    return [numbered[number * 7 % len(numbered)] for number in range(len(numbered))]
