"""The style sheet of the stakeholder pack: light and dark, wide and narrow, screen and paper; colours are Okabe-Ito's."""

STYLE = """
:root{--plus:#0072B2;--minus:#D55E00;--a:#009E73;--b:#CC79A7;--both:#E69F00}
:root{color-scheme:light dark;--ink:#0f172a;--paper:#fff;--card:#f8fafc;--line:#cbd5e1;--soft:#475569;--dot:#94a3b8}
@media(prefers-color-scheme:dark){
 :root{--ink:#e2e8f0;--paper:#0b1220;--card:#131c2e;--line:#334155;--soft:#a3b1c6;--dot:#64748b}
}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:66rem;margin:0 auto;
 padding:2rem 1.25rem 3rem;overflow-wrap:anywhere}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.4rem 0 .4rem}
h4{font-size:1rem;margin:0 0 .2rem}
p{margin:.4rem 0 .7rem;max-width:46rem}
ul{padding-left:1.2rem;max-width:46rem}
dl{margin:0}
.soft{color:var(--soft)}
.small,small{font-size:.85rem}
.lead{font-size:1.2rem}
.note{border-left:4px solid var(--both);padding:.1rem .8rem}
.a{--own:var(--a)}
.b{--own:var(--b)}
.both{--own:var(--both)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin-bottom:1rem}
.pair>*{min-width:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}
.card>:first-child{margin-top:0}
.card>:last-child{margin-bottom:0}
h3~.card{margin-bottom:1rem}
.person{border-top:4px solid var(--own)}
.facts{display:grid;grid-template-columns:repeat(4,1fr);gap:1rem;margin:1rem 0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .9rem}
.facts dt,.facts small{color:var(--soft);font-size:.85rem}
.facts dd{margin:0;font-size:1.5rem;font-weight:650;line-height:1.25}
.facts small{display:block;font-weight:400}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:.3rem}
td,th{border-bottom:1px solid var(--line);padding:.4rem .5rem;text-align:left;vertical-align:top}
th{font-weight:600;min-width:6.2rem}
thead th{color:var(--soft);font-size:.8rem;min-width:0;overflow-wrap:normal}
.n{text-align:right}
.n,.fixed{white-space:nowrap}
.even{table-layout:fixed}
.even th:first-child{width:25%}
.even th:last-child{width:17%}
.cards th:first-child{width:20%}
.cards td:last-child{width:40%}
.kind{display:inline-block;white-space:nowrap;font-size:.8rem;line-height:1.3;padding:0 .4rem;border-radius:.6rem;
 border:1.5px solid var(--line)}
.kind.entered{border-color:var(--plus)}
.kind.left{border-color:var(--minus);border-style:dashed}
.kind.up,.kind.down{border-color:var(--soft)}
.parts{display:grid;grid-template-columns:minmax(0,1fr) auto 7rem;gap:0 .5rem;align-items:center;font-size:.85rem;
 line-height:1.3}
.bar{position:relative;display:block;height:.7rem;min-width:4.5rem;margin:.35rem 0}
.bar i{position:absolute;top:0;bottom:0;min-width:1px;border-radius:1px}
.bar i.plus{background:var(--plus)}
.bar i.minus{background:var(--minus)}
.bar b{position:absolute;top:-.2rem;bottom:-.2rem;width:1px;background:var(--soft)}
.bump,.heads{display:grid;grid-template-columns:minmax(0,1fr) minmax(3rem,16%) minmax(0,1fr);margin:.6rem 0}
.heads{font-weight:650}
.heads :first-child{text-align:right}
.heads :last-child{grid-column:3}
.bump ol{list-style:none;margin:0;padding:0;display:grid;grid-template-rows:repeat(var(--rows),minmax(2.2rem,1fr))}
.bump li{display:flex;gap:.5rem;align-items:center;line-height:1.25;padding:.2rem .1rem}
.bump li .title{flex:1;min-width:0}
.bump ol:first-child li{text-align:right;flex-direction:row-reverse}
.bump .rank{font-weight:650;min-width:1.5rem;text-align:center}
.bump div{position:relative}
.bump svg{position:absolute;inset:0;width:100%;height:100%}
.bump path{fill:none;stroke-width:2.5;vector-effect:non-scaling-stroke;stroke:var(--soft)}
.bump path.entered{stroke:var(--plus)}
.bump path.left{stroke:var(--minus);stroke-dasharray:5 4}
.bump path.same{stroke:var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.85rem;margin:.5rem 0;padding:0;list-style:none;max-width:none}
.map{width:100%;height:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
.map .dots{stroke:var(--dot);stroke-width:3.4;stroke-linecap:round;opacity:.5}
.map .lead{stroke:var(--soft)}
.map .mark{fill:var(--own);stroke:var(--paper);stroke-width:1.5}
.map .star{fill:var(--own);stroke:var(--ink);stroke-width:1.5}
.map text{fill:#0f172a;font:600 11px system-ui,sans-serif;text-anchor:middle}
.map .star+text{font-size:14px}
.map .group{fill:var(--soft);font-weight:400;font-size:13px;paint-order:stroke;stroke:var(--card);stroke-width:4px}
.narrow{display:none}
.key{columns:2;list-style:none;padding:0;font-size:.9rem;margin:.4rem 0}
.key li{break-inside:avoid}
.key b{display:inline-block;min-width:1.6rem;text-align:right;margin-right:.4rem}
.shape{display:inline-block;min-width:1.1em;text-align:center;color:var(--own);font-size:1.15em}
pre{font-size:.75rem;background:var(--card);border:1px solid var(--line);padding:.7rem;overflow:auto;max-height:24rem;
 white-space:pre-wrap}
summary{cursor:pointer}
footer{margin-top:2.6rem;border-top:1px solid var(--line)}
@media screen and (max-width:640px){
 body{font-size:15px;padding:1.2rem .9rem}
 h1{font-size:1.5rem}
 .pair{grid-template-columns:1fr}
 .facts{grid-template-columns:1fr 1fr;gap:.6rem}
 .key{columns:1}
 .wide{display:none}
 .narrow{display:block}
 .bump{font-size:.85rem}
 .bump li{gap:.25rem}
 .bump .kind{padding:0 .25rem;font-size:.75rem}
 td,th{padding:.35rem .3rem}
 .cards thead{position:absolute;left:-999rem}
 .cards tr{display:block;border-bottom:1px solid var(--line);padding:.5rem 0}
 .cards td,.cards th{display:flex;gap:.7rem;border:0;padding:.15rem 0;text-align:left}
 .cards td:last-child,.cards th:first-child{width:auto}
 .cards td>:not(.kind){flex:1;min-width:0}
 .cards td::before,.cards tbody th::before{content:attr(data-head);flex:0 0 6.2rem;color:var(--soft);font-weight:400;
  font-size:.8rem}
 .parts{grid-template-columns:minmax(0,1fr) auto 5rem}
}
@media print{
 :root{color-scheme:light;--ink:#0f172a;--paper:#fff;--card:#fff;--line:#cbd5e1;--soft:#475569;--dot:#94a3b8}
 @page{margin:16mm}
 body{font-size:10.5pt;max-width:none;padding:0;-webkit-print-color-adjust:exact;print-color-adjust:exact}
 h2,h3,h4,caption{break-after:avoid}
 tr,li,.card,.map,.facts{break-inside:avoid}
 .again{display:none}
}
"""
