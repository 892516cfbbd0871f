import{Fa as o,o as t}from"./chunk-3J5U2LWM.js";var m=(a,n)=>{let{project:e,range:r}=t();return o(JSON.stringify([a,e,r]),p=>n({project:e,signal:p},r))};export{m as a};
